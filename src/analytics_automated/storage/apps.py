"""Django's name for this room."""

from django.apps import AppConfig


class StorageConfig(AppConfig):
    """Stored bytes."""

    name = "analytics_automated.storage"
    label = "storage"
    verbose_name = "Storage"
    default_auto_field = "django.db.models.BigAutoField"
