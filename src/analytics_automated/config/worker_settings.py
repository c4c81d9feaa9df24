"""Django's settings of a worker: the same, without what serves pages, which would be a third of its memory."""

from analytics_automated.config.settings import *  # noqa: F403 -- Django reads them as this module's own

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "analytics_automated.storage",
    "analytics_automated.pipelines",
    "analytics_automated.runs",
]
MIDDLEWARE = []
TEMPLATES = []
ROOT_URLCONF = ""
