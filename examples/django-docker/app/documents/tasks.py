import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from .models import Document

logger = logging.getLogger(__name__)


@shared_task
def fingerprint(document_id: int) -> None:
    document = Document.objects.filter(pk=document_id).first()
    if document is None:
        return
    document.sha256 = document.file_sha256()
    document.save(update_fields=["sha256"])


@shared_task
def fingerprint_missing() -> None:
    """Catches up with uploads of a time without a broker, or of a release that knew no fingerprints."""
    for document_id in Document.objects.filter(sha256="").values_list("pk", flat=True)[:500]:
        fingerprint.delay(document_id)


def request_fingerprint(document: Document) -> None:
    """An upload that is stored is a success, whatever becomes of its task."""
    try:
        fingerprint.delay(document.pk)
    except OperationalError:
        logger.warning("no broker: document %s gets its fingerprint later", document.pk)
