"""What Django needs to know, all of it from the environment."""

import os

ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
APPEND_SLASH = False
INSTALLED_APPS = ["shop"]
MIDDLEWARE = ["shop.problems.Problems"]
ROOT_URLCONF = "shop.urls"
SECRET_KEY = os.environ["SECRET_KEY"]
TIME_ZONE = "UTC"
USE_TZ = True

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["DB_HOST"],
        "PORT": os.environ["DB_PORT"],
        "NAME": os.environ["DB_NAME"],
        "USER": os.environ["DB_USER"],
        "PASSWORD": os.environ["DB_PASSWORD"],
        "OPTIONS": {
            "connect_timeout": 2,  # libpq's shortest
            "options": "-c TimeZone=UTC -c statement_timeout=2500"
            " -c idle_in_transaction_session_timeout=3000"
            " -c client_connection_check_interval=500",
            # No max_waiting: it also counts those who gave up, until a connection comes.
            "pool": {
                "min_size": 5,
                "max_size": 5,
                "timeout": 0.5,
                # It tries less and less often, for 5 minutes: let it give up, and the next request
                # asks for a new connection.
                "reconnect_timeout": 1,
            },
        },
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # shop.problems logs each refusal, with its cause.
    "loggers": {"django.request": {"level": "CRITICAL"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
