"""Every answer says which release gave it, so that a deploy can be watched from outside."""

from django.conf import settings


def release_header(get_response):
    def middleware(request):
        response = get_response(request)
        response["X-Release"] = settings.RELEASE or "none"
        return response

    return middleware


def release_context(request):
    return {"release": settings.RELEASE, "version": settings.VERSION[:7]}
