from django.conf import settings


def release_names() -> dict[str, str | None]:
    """What an answer says about who gave it."""
    return {"release": settings.RELEASE, "slipway_release": settings.SLIPWAY_RELEASE or None}
