"""The ASGI application: Django, and `/ws/echo`, which sends back what it receives."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pier.settings")
django = get_asgi_application()


async def echo(receive, send):
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text") or ""})


async def application(scope, receive, send):
    if scope["type"] != "websocket":
        await django(scope, receive, send)
    elif scope["path"] == "/ws/echo":
        await echo(receive, send)
    else:
        await receive()
        await send({"type": "websocket.close", "code": 4404})
