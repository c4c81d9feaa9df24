"""Django's name for this room."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """What happened."""

    name = "analytics_automated.runs"
    label = "runs"
    verbose_name = "Runs"
    default_auto_field = "django.db.models.BigAutoField"
