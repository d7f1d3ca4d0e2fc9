import hashlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from documents import tasks
from documents.models import Document

CONTENT = b"\x00\xff uploads are bytes, not text\r\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()

pytestmark = pytest.mark.django_db


def upload(name: str = "minutes.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, CONTENT)


@pytest.fixture
def document(client):
    response = client.post(reverse("documents:api"), {"file": upload()})
    return Document.objects.get(pk=response.json()["id"])


def test_a_script_uploads_without_a_token_and_gets_the_fingerprint_back():
    client = Client(enforce_csrf_checks=True)
    response = client.post("/api/documents/", {"file": upload(), "title": "Minutes"})
    answer = response.json()
    assert response.status_code == 201
    assert answer["sha256"] == SHA256
    assert answer["release"] == "test-7"
    assert answer["url"].startswith("/mediafiles/documents/")
    assert Path(Document.objects.get().file.path).read_bytes() == CONTENT


def test_a_script_can_list_what_is_there(client, document):
    [found] = client.get("/api/documents/").json()["documents"]
    assert found["id"] == document.pk
    assert found["sha256"] == SHA256


def test_an_upload_without_a_file_is_refused_by_name(client):
    response = client.post("/api/documents/", {"title": "Minutes"})
    assert response.status_code == 400
    assert "file" in response.json()["errors"]
    assert not Document.objects.exists()


def test_the_form_wants_a_token():
    client = Client(enforce_csrf_checks=True)
    assert client.post("/", {"file": upload()}).status_code == 403
    token = client.get("/").context["csrf_token"]
    response = client.post("/", {"file": upload(), "csrfmiddlewaretoken": str(token)}, follow=True)
    assert response.status_code == 200
    assert "minutes" in response.text


def test_the_form_shows_what_is_missing(client):
    response = client.post("/", {"title": "Minutes"})
    assert response.status_code == 400
    assert "This field is required" in response.text


def test_a_title_cannot_bring_markup_into_the_page(client):
    client.post("/api/documents/", {"file": upload(), "title": "<script>alert(1)</script>"})
    assert "<script>" not in client.get("/").text


def test_an_upload_counts_when_the_broker_is_away(client, monkeypatch):
    def no_broker(*args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.fingerprint, "delay", no_broker)
    assert client.post("/api/documents/", {"file": upload()}).status_code == 201
    monkeypatch.undo()

    assert Document.objects.get().sha256 == ""
    tasks.fingerprint_missing()
    assert Document.objects.get().sha256 == SHA256


def test_a_fingerprint_of_a_document_that_is_gone_is_no_error():
    tasks.fingerprint(404)


def test_verify_documents_counts_what_is_intact(document, capsys):
    call_command("verify_documents")
    assert "1 intact, 0 without a fingerprint, 0 damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"x"), Path.unlink], ids=["changed", "lost"]
)
def test_verify_documents_fails_on_damage(document, capsys, damage):
    damage(Path(document.file.path))
    with pytest.raises(CommandError, match="0 intact, 0 without a fingerprint, 1 damaged"):
        call_command("verify_documents")
    assert document.file.name in capsys.readouterr().err


@pytest.mark.django_db(transaction=True)
def test_the_release_before_the_second_migration_goes_on_inserting_after_it():
    state = MigrationExecutor(connection).loader.project_state([("documents", "0001_initial")])
    before = state.apps.get_model("documents", "Document")
    before.objects.create(title="written by the old release", file="documents/old.txt")
    assert Document.objects.get().sha256 == ""


def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run")
