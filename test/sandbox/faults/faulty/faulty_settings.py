# DJANGO_SETTINGS_MODULE=faulty_settings: a migration that fails after it has done something.
from notes.settings import *  # noqa: F403

MIGRATION_MODULES = {"notes": "faulty_migrations"}
