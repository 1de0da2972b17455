from django.contrib import admin
from django.urls import include, path

from pier import views

urlpatterns = [
    path("up", views.up, name="up"),
    path("slow", views.slow, name="slow"),
    path("admin/", admin.site.urls),
    path("", include("parcels.urls")),
]
