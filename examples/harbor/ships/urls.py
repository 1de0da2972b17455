from django.urls import path

from ships import views

app_name = "ships"
urlpatterns = [
    path("", views.ShipList.as_view(), name="list"),
    path("ships.csv", views.export, name="export"),
    path("ships/new/", views.ShipCreate.as_view(), name="create"),
    path("ships/<int:pk>/", views.ShipDetail.as_view(), name="detail"),
]
