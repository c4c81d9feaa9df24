"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "analytics_automated.config.settings")
application = get_wsgi_application()

import analytics_automated.config.celery  # noqa: E402,F401 -- what `runs` sends wake-ups with
