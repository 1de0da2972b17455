"""A tiny Django project in a git repository, for contract tests."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

FILES = {
    "manage.py": """
        import os, sys
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """,
    "shop/__init__.py": "",
    "shop/settings.py": """
        import os
        from pathlib import Path
        BASE_DIR = Path(__file__).resolve().parent.parent
        SECRET_KEY = os.environ["SECRET_KEY"]
        ALLOWED_HOSTS = ["shop.example"]
        ROOT_URLCONF = "shop.urls"
        INSTALLED_APPS = ["django.contrib.staticfiles"]
        STATIC_URL, STATIC_ROOT, STATICFILES_DIRS = "/static/", BASE_DIR / "staticfiles", [BASE_DIR / "assets"]
        STORAGES = {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
        }
        USE_TZ = True
    """,
    "shop/urls.py": """
        import os
        from django.http import HttpResponse, JsonResponse
        from django.urls import path
        def fail(request): raise RuntimeError("the fail page failed")
        urlpatterns = [
            path("up", lambda request: HttpResponse("ok for " + request.get_host())),
            path("env", lambda request: JsonResponse(dict(os.environ))),
            path("fail", fail),
        ]
    """,
    "shop/wsgi.py": """
        from django.core.wsgi import get_wsgi_application
        application = get_wsgi_application()
    """,
    "worker.py": """
        import signal, sys, time
        stopping = False
        def stop(*_):
            global stopping
            stopping = True
        signal.signal(signal.SIGTERM, stop)
        print("worker begins", flush=True)
        while not stopping:
            time.sleep(0.05)
        time.sleep(0.3)
        print("worker finished its task", flush=True)
    """,
    "assets/site.css": "body { color: black }",
    "media/logo.txt": "a logo",
    ".gitignore": "staticfiles/\n",
}


def git(repository: Path, *words: str) -> str:
    argv = ("git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.com", *words)
    return subprocess.run(argv, capture_output=True, check=True, text=True).stdout.strip()


def commit(repository: Path, files: dict[str, str]) -> str:
    """Write `files`, commit them, return the commit."""
    for name, text in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "a version")
    return git(repository, "rev-parse", "HEAD")


def new_repository(where: Path) -> Path:
    where.mkdir(parents=True)
    git(where, "init", "-q", "-b", "main")
    return where
