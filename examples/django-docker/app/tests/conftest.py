import pytest


@pytest.fixture(autouse=True)
def _surroundings(settings, tmp_path):
    """Uploads of a test go away with it."""
    settings.MEDIA_ROOT = tmp_path / "mediafiles"
    settings.RELEASE = "test-7"
