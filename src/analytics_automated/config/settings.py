"""Django's settings, made from the environment."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from analytics_automated.config.data_folder import DataFolder
from analytics_automated.config.environment import read_settings
from analytics_automated.config.staff_pages import THEME

AA = read_settings()
DATA = DataFolder(AA.data_dir.expanduser().absolute())
DATA.make()

SECRET_KEY = AA.secret_key.get_secret_value() if AA.secret_key else DATA.secret_key()
DEBUG = AA.debug
ALLOWED_HOSTS = AA.allowed_hosts
CSRF_TRUSTED_ORIGINS = AA.trusted_origins
ROOT_URLCONF = "analytics_automated.config.urls"
WSGI_APPLICATION = "analytics_automated.config.wsgi.application"

INSTALLED_APPS = [
    "unfold",  # in front of the admin, whose templates it has its own of
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "ninja",  # ships the API pages' own files, so that they ask no other host
    "analytics_automated.storage",
    "analytics_automated.pipelines",
    "analytics_automated.runs",
    "analytics_automated.api",
    "analytics_automated.web",
]
MIDDLEWARE = [
    "analytics_automated.api.request_ids.RequestIdMiddleware",
    "analytics_automated.api.problems.ApiMiddleware",
    "analytics_automated.web.outages.OutageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# Any page may call the API, but never with the cookies of somebody's session here.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_CREDENTIALS = False
CORS_EXPOSE_HEADERS = [
    "Location",
    "Deprecation",
    "Link",
    "ETag",
    "Accept-Ranges",
    "Repr-Digest",
    "Retry-After",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "X-Request-Id",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
UNFOLD = THEME
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

if AA.database_url:
    _url = urlsplit(AA.database_url)
    DATABASES: dict[str, dict[str, Any]] = {
        "default": {
            "ENGINE": "analytics_automated.config.postgresql",
            "NAME": unquote(_url.path.lstrip("/")),
            "USER": unquote(_url.username or ""),
            "PASSWORD": unquote(_url.password or ""),
            "HOST": unquote(_url.hostname or ""),
            "PORT": str(_url.port or ""),
            "OPTIONS": {
                # A server that is gone without a word is noticed within seconds, and so is one that comes back.
                "connect_timeout": "5",
                "tcp_user_timeout": "10000",
                "keepalives_idle": "10",
                "keepalives_interval": "5",
                "keepalives_count": "2",
                # What is asked often is planned once for each connection.
                "server_side_binding": True,
                "prepare_threshold": 3,
                **dict(parse_qsl(_url.query)),
                # Celery closes Django's connection around every task: a pool makes that free of cost.
                "pool": {
                    "min_size": 1,
                    "max_size": max(AA.web_threads, AA.worker_concurrency or os.cpu_count() or 1) + 4,
                    "timeout": 2.5,
                    "reconnect_timeout": 2.0,
                    "name": "aa",
                },
            },
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA.database,
            # Writers wait for each other from their first statement on, instead of failing in mid-transaction.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
            "CONN_MAX_AGE": None,
            "TEST": {"NAME": DATA.root / "test.sqlite3"},  # in memory it would lock otherwise than on disk
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA.blobs}},
    "blobs": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": DATA.blobs,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # nothing needs collecting: files are served from where they are installed
WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = AA.time_zone
FORMAT_MODULE_PATH = "analytics_automated.config.formats"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = (AA.base_url or "").startswith("https://")
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a Task's page has two dozen fields per Parameter
NINJA_PAGINATION_PER_PAGE = 100

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"aa": {"()": "analytics_automated.config.logs.formatter", "style": AA.log_format}},
    "filters": {"outages": {"()": "analytics_automated.config.logs.Outages"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "aa", "filters": ["outages"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "analytics_automated": {"level": AA.log_level},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # anybody can send any Host
        "django.request": {"level": "ERROR"},  # what a caller did wrong is told to the caller
        "psycopg.pool": {"level": "ERROR"},  # an outage is told once, by whoever needs the database
    },
}
