from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class ReleaseHeader:
    """Names the release in every answer, errors included: the first thing to know about one in a log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["X-Release"] = settings.RELEASE
        if settings.SLIPWAY_RELEASE:
            response["X-Slipway-Release"] = settings.SLIPWAY_RELEASE
        return response
