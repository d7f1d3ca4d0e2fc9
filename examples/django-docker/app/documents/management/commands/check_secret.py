import hashlib
import hmac
import os

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Says whether an environment variable arrived as it was sent, without showing its value."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the variable, such as SQL_PASSWORD")
        parser.add_argument("sha256", help="hexadecimal SHA-256 of the value that was sent")

    def handle(self, *, name: str, sha256: str, **options: object) -> None:
        value = os.environb.get(os.fsencode(name))
        if value is None:
            raise CommandError(f"{name} is not set")
        if not hmac.compare_digest(hashlib.sha256(value).hexdigest(), sha256.lower()):
            raise CommandError(f"{name} differs from what was sent")
        self.stdout.write(f"{name} is intact")
