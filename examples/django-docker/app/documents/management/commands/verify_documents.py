from django.core.management.base import BaseCommand, CommandError

from documents.models import Document


class Command(BaseCommand):
    help = "Reads every uploaded file and compares it with its fingerprint: run it after a restore or a move."

    def handle(self, **options: object) -> None:
        intact = unknown = damaged = 0
        for document in Document.objects.order_by("pk").iterator():
            try:
                found = document.file_sha256()
            except OSError as error:
                damaged += 1
                self.stderr.write(f"{document.pk} {document.file.name}: {error.strerror}")
                continue
            if not document.sha256:
                unknown += 1
            elif found == document.sha256:
                intact += 1
            else:
                damaged += 1
                self.stderr.write(f"{document.pk} {document.file.name}: the content has changed")
        summary = f"{intact} intact, {unknown} without a fingerprint, {damaged} damaged"
        if damaged:
            raise CommandError(summary)
        self.stdout.write(summary)
