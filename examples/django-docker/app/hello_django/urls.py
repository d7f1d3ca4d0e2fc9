from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", include("documents.urls")),
    path("healthz", views.healthz, name="healthz"),
    path("slow", views.slow, name="slow"),
    path("admin/", admin.site.urls),
    # Development only: nginx serves these in production.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
