"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from .check import check

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
check.start()
