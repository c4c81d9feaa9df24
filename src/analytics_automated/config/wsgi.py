"""The WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "analytics_automated.config.settings")
application = get_wsgi_application()

import analytics_automated.config.celery  # noqa: E402,F401 -- what `runs` sends wake-ups with

# The web server forks once this module is read. What is loaded by then is shared by its processes, as long as nobody
# writes to it: the garbage collector would, with every object that it looks at.
get_resolver().url_patterns  # noqa: B018 -- Django would read them at the first request
gc.collect()
gc.freeze()
