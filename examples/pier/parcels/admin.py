from django.contrib import admin

from parcels.models import Count, Parcel

admin.site.register([Parcel, Count])
