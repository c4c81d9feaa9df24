"""Django's name for this room."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The api room."""

    name = "analytics_automated.api"
    label = "api"
