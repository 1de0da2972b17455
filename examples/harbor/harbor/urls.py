from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

from harbor import views

urlpatterns = [
    path("up", views.up, name="up"),
    path("slow", views.slow, name="slow"),
    path("admin/", admin.site.urls),
    path("", include("ships.urls")),
    # Only while DEBUG is on; elsewhere the proxy serves what was uploaded.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
