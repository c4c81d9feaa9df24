"""What answers where."""

from django.contrib import admin
from django.urls import path

from analytics_automated.api.service import api
from analytics_automated.web import views

admin.site.index_title = "Configuration and what happened"

urlpatterns = [
    path("", views.start, name="start"),
    path("submissions/<uuid:submission>", views.submission, name="submission-page"),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
]
