"""Views about the site itself."""

import asyncio

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse

SLOW_LIMIT_S = 10


def _reach_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def up(request):
    """Say whether this release works: 200 when it reaches its database, 503 when it does not."""
    answer = {"status": "ok", "release": settings.RELEASE, "version": settings.VERSION}
    try:
        await sync_to_async(_reach_database)()
    except DatabaseError as error:
        return JsonResponse(answer | {"status": "no database", "error": type(error).__name__}, status=503)
    return JsonResponse(answer)


async def slow(request):
    """Answer after `s` seconds (10 at most), as a report or a slow partner's service would."""
    try:
        wait_s = float(request.GET.get("s", "1"))
    except ValueError:
        return HttpResponseBadRequest("s must be a number of seconds\n", content_type="text/plain")
    if not 0 <= wait_s <= SLOW_LIMIT_S:
        return HttpResponseBadRequest(f"s must be from 0 to {SLOW_LIMIT_S}\n", content_type="text/plain")
    await asyncio.sleep(wait_s)
    return HttpResponse(f"waited {wait_s:g} s\n", content_type="text/plain")
