import hashlib
import json
import logging
import re
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client

NASTY = "@ $ # ' \" % \\ ü and spaces "


@pytest.mark.django_db
def test_healthz_names_the_release(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "release": "test-7", "slipway_release": None}
    assert "no-store" in response["Cache-Control"]


def test_healthz_without_a_database_is_503_and_tells_strangers_nothing(client, monkeypatch, caplog):
    def refuse():
        raise OperationalError("password authentication failed for user doadmin")

    monkeypatch.setattr(connection, "cursor", refuse)
    with caplog.at_level(logging.ERROR):
        response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "no database", "release": "test-7", "slipway_release": None}
    assert "doadmin" in caplog.text


def test_healthz_can_be_made_to_fail_for_a_drill(client, settings):
    settings.FAIL_HEALTH_CHECK = True
    assert client.get("/healthz").status_code == 500


@pytest.mark.django_db
def test_the_page_and_every_header_name_the_release(client, settings):
    settings.SLIPWAY_RELEASE = "12"
    response = client.get("/")
    assert '<span id="release">test-7</span>' in response.text
    assert '<span id="slipway-release">12</span>' in response.text
    for path in ("/healthz", "/slow?seconds=0", "/api/documents/"):
        assert client.get(path).json()["slipway_release"] == "12"
    for path in ("/", "/healthz", "/nowhere"):
        assert client.get(path)["X-Release"] == "test-7"
        assert client.get(path)["X-Slipway-Release"] == "12"


@pytest.mark.django_db
def test_the_page_knows_the_scheme_and_host_that_the_visitor_used(client, settings):
    settings.ALLOWED_HOSTS = ["app.example.com"]
    page = client.get("/", headers={"host": "app.example.com", "x-forwarded-proto": "https"}).text
    assert '<link rel="canonical" href="https://app.example.com/">' in page


def test_a_host_that_is_not_allowed_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["app.example.com"]
    assert client.get("/slow?seconds=0", headers={"host": "app.example.com"}).status_code == 200
    assert client.get("/slow?seconds=0", headers={"host": "other.example.com"}).status_code == 400


def test_slow_takes_its_time(client):
    started = time.monotonic()
    response = client.get("/slow?seconds=0.2")
    assert time.monotonic() - started >= 0.2
    assert response.json() == {"seconds": 0.2, "release": "test-7", "slipway_release": None}


@pytest.mark.parametrize("seconds", ["-1", "21", "nan", "inf", "soon"])
def test_slow_refuses_what_would_hold_a_thread(client, seconds):
    response = client.get("/slow", {"seconds": seconds})
    assert response.status_code == 400
    assert "from 0 to 20" in json.loads(response.content)["error"]


@pytest.mark.django_db
def test_static_files_have_a_hash_in_their_name_and_exist(client, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "staticfiles"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    call_command("collectstatic", "--noinput", "-v0")
    links = re.findall(r'href="/staticfiles/([^"]+)"', client.get("/").text)
    assert len(links) == 2
    for link in links:
        assert re.search(r"\.[0-9a-f]{12}\.css$", link)
        assert (settings.STATIC_ROOT / link).is_file()


@pytest.mark.django_db
def test_the_admin_asks_for_a_login():
    response = Client().get("/admin/", follow=True)
    assert response.redirect_chain[0][0].startswith("/admin/login/")
    assert response.status_code == 200


def test_check_secret_knows_an_intact_value_and_shows_none(monkeypatch, capsys):
    monkeypatch.setenv("SQL_PASSWORD", NASTY)
    call_command("check_secret", "SQL_PASSWORD", hashlib.sha256(NASTY.encode()).hexdigest())
    assert capsys.readouterr().out == "SQL_PASSWORD is intact\n"


@pytest.mark.parametrize("value", [NASTY.strip(), NASTY + "\n", ""])
def test_check_secret_refuses_a_value_that_was_changed_on_its_way(monkeypatch, value):
    monkeypatch.setenv("SQL_PASSWORD", value)
    with pytest.raises(CommandError) as refused:
        call_command("check_secret", "SQL_PASSWORD", hashlib.sha256(NASTY.encode()).hexdigest())
    assert str(refused.value) == "SQL_PASSWORD differs from what was sent"


def test_check_secret_says_when_there_is_no_value(monkeypatch):
    monkeypatch.delenv("SQL_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="SQL_PASSWORD is not set"):
        call_command("check_secret", "SQL_PASSWORD", "0" * 64)
