"""The environment's contract, read by a fresh interpreter each time, as in production."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parent.parent

SHOW = """
import json
from hello_django import settings as s
print(json.dumps({
    "DEBUG": s.DEBUG, "ALLOWED_HOSTS": s.ALLOWED_HOSTS, "CSRF_TRUSTED_ORIGINS": s.CSRF_TRUSTED_ORIGINS,
    "SECURE_PROXY_SSL_HEADER": s.SECURE_PROXY_SSL_HEADER, "DATABASE": s.DATABASES["default"],
    "STATIC": s.STORAGES["staticfiles"]["BACKEND"], "EAGER": s.CELERY_TASK_ALWAYS_EAGER,
    "SECURE": [s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE], "SECRET_KEY": s.SECRET_KEY,
}))
"""

# Word for word what the hand-written setup_env.sh of such a project leaves in .env.
CLASSIC = {
    "DEBUG": "0",
    "SQL_ENGINE": "django.db.backends.postgresql",
    "DATABASE": "postgres",
    "SECRET_KEY": "a $ecret key",
    "SQL_DATABASE": "defaultdb",
    "SQL_USER": "doadmin",
    "SQL_PASSWORD": "p@ss word",
    "SQL_HOST": "db.example.com",
    "SQL_PORT": "25060",
}


def load(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", SHOW]
    return subprocess.run(
        command, cwd=APP, env=clean | environment, capture_output=True, text=True, check=False
    )


def read(environment: dict[str, str]) -> dict[str, object]:
    result = load(environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_classic_env_file_is_all_that_production_needs():
    found = read(CLASSIC)
    database = found["DATABASE"]
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == "a $ecret key"
    assert found["ALLOWED_HOSTS"] == ["*"]
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert found["STATIC"].endswith("ManifestStaticFilesStorage")
    assert found["EAGER"] is True
    assert [database[key] for key in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "django.db.backends.postgresql",
        "defaultdb",
        "doadmin",
        "p@ss word",
        "db.example.com",
        "25060",
    ]


def test_what_a_domain_adds():
    found = read(
        CLASSIC
        | {
            "DJANGO_ALLOWED_HOSTS": "app.example.com www.example.com",
            "CSRF_TRUSTED_ORIGINS": "https://app.example.com",
            "SECURE_COOKIES": "1",
            "SECURE_PROXY_SSL_HEADER": "",
            "CELERY_BROKER_URL": "redis://redis:6379/0",
            "SQL_TRANSACTION_POOL": "1",
        }
    )
    assert found["ALLOWED_HOSTS"] == ["app.example.com", "www.example.com"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://app.example.com"]
    assert found["SECURE"] == [True, True]
    assert found["SECURE_PROXY_SSL_HEADER"] is None
    assert found["EAGER"] is False
    assert found["DATABASE"]["DISABLE_SERVER_SIDE_CURSORS"] is True


@pytest.mark.parametrize("environment", [{}, {"SECRET_KEY": ""}], ids=["missing", "empty"])
def test_no_start_without_a_secret_key(environment):
    result = load(environment)
    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr
