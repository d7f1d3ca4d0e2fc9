"""The real settings, with what a test run needs and a server must not have."""

import os

os.environ.setdefault("SECRET_KEY", "for-tests-only")

from hello_django.settings import *  # noqa: F403
from hello_django.settings import STORAGES

# Pages are rendered without a run of collectstatic; the test of the hashed names does one of its own.
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
