"""Django's name for this room."""

from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    """The configuration."""

    name = "analytics_automated.pipelines"
    label = "pipelines"
    verbose_name = "Pipelines"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make sure of the Backend that always exists, once there are tables."""
        from django.db.models.signals import post_migrate

        from analytics_automated.pipelines.configuration import ensure_local_backend

        post_migrate.connect(lambda **_: ensure_local_backend(), sender=self, weak=False)
