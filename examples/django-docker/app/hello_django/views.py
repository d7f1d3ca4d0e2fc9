import logging
import time

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .release import release_names

logger = logging.getLogger(__name__)

SLOW_SECONDS_MAX = 20.0


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Says whether this release can do its work, which needs the database."""
    if settings.FAIL_HEALTH_CHECK:
        logger.error("the health check fails because FAIL_HEALTH_CHECK is set")
        return JsonResponse({"status": "failing on request", **release_names()}, status=500)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        # The driver's message names the user and the host: for the log, not for whoever asks.
        logger.exception("the health check cannot reach the database")
        return JsonResponse({"status": "no database", **release_names()}, status=503)
    return JsonResponse({"status": "ok", **release_names()})


@require_safe
@never_cache
def slow(request: HttpRequest) -> HttpResponse:
    """Takes as long as it is told to: what a report or a call to another service does to a request."""
    try:
        seconds = float(request.GET.get("seconds", 2))
    except ValueError:
        seconds = -1.0
    # Written so that nan is refused too.
    if not 0 <= seconds <= SLOW_SECONDS_MAX:
        error = f"seconds has to be a number from 0 to {SLOW_SECONDS_MAX:g}"
        return JsonResponse({"error": error}, status=400)
    time.sleep(seconds)
    return JsonResponse({"seconds": seconds, **release_names()})
