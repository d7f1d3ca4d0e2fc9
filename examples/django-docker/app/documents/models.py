import hashlib

from django.db import models


class Document(models.Model):
    """A file that somebody uploaded."""

    title = models.CharField(max_length=200, blank=True)
    file = models.FileField(upload_to="documents/%Y/%m/")
    created_at = models.DateTimeField(auto_now_add=True)
    # The database has the default too: the release before this field inserts while this one starts.
    sha256 = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return self.title or self.file.name

    def file_sha256(self) -> str:
        with self.file.open("rb") as stored:
            return hashlib.file_digest(stored, "sha256").hexdigest()
