from django.urls import path

from parcels import views

app_name = "parcels"
urlpatterns = [
    path("", views.parcels, name="list"),
    path("parcels/<int:pk>", views.parcel, name="detail"),
]
