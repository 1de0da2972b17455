"""Every answer says which release gave it, so that a deploy can be watched from outside."""

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def release_header(get_response):
    release = settings.RELEASE or "none"

    async def async_middleware(request):
        response = await get_response(request)
        response["X-Release"] = release
        return response

    def middleware(request):
        response = get_response(request)
        response["X-Release"] = release
        return response

    return async_middleware if iscoroutinefunction(get_response) else middleware
