"""`shipway init`: files, diff, JSON, questions, exit codes; and the examples, with their files taken away."""

import ast
import io
import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from shipway.adapters.secrets.files import FileSecrets
from shipway.adapters.secrets.programs import Programs
from shipway.cli.main import main
from shipway.config.load import load_config
from shipway.config.model import Config

EXAMPLES = Path(__file__).parents[2] / "examples"
URLS = "from django.urls import path\n\nurlpatterns = [\n    path('', lambda request: None),\n]\n"
FILES = {
    "manage.py": (
        "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\nexecute_from_command_line()\n"
    ),
    "requirements.txt": "django==5.2\ngunicorn==23.0\n",
    ".python-version": "3.12",
    "shop/__init__.py": "",
    "shop/wsgi.py": "application = 1\n",
    "shop/urls.py": URLS,
    "shop/settings.py": (
        "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nROOT_URLCONF = 'shop.urls'\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'PASSWORD': os.environ['DB_PASSWORD']}}\n"
    ),
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "shop"
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    monkeypatch.chdir(place)
    return place


def files_of(place: Path) -> dict[str, str]:
    return {str(p.relative_to(place)): p.read_text() for p in place.rglob("*") if p.is_file()}


def config_of(place: Path) -> Config:
    return load_config({"config/deploy.yml": (place / "config/deploy.yml").read_text()})


def test_files_are_written_once(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--yes", "--server", "192.0.2.10", "--host", "shop.example.org"]) == 0
    text = capsys.readouterr().out
    new = set(files_of(shop)) - set(FILES)
    assert new == {"config/deploy.yml", "Dockerfile", ".dockerignore", ".kamal/secrets", ".gitignore"}
    assert all(path in text for path in new)
    assert "warning[init.no_health]" in text
    assert 'path("up", up)' in text, "the code of the view is shown"
    before = files_of(shop)
    assert main(["init", "--yes", "--server", "192.0.2.99"]) == 0
    assert files_of(shop) == before


def test_a_diff_writes_nothing_and_shows_kept_files_too(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "Dockerfile").write_text("FROM python:3.12\nRUN pip install -r requirements.txt\nCMD gunicorn shop.wsgi\n")
    (shop / ".dockerignore").write_text("mine\n")
    before = files_of(shop)
    assert main(["init", "--diff"]) == 0
    text = capsys.readouterr().out
    assert "--- a/.dockerignore\n+++ b/.dockerignore\n" in text
    assert "-mine\n" in text
    assert "+service: shop\n" in text
    assert "warning[dockerfile.runs_as_root]" in text
    assert files_of(shop) == before


def test_json(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / ".dockerignore").write_text("mine\n")
    (shop / ".gitignore").write_text("*.pyc")
    assert main(["init", "--json", "--make-secrets"]) == 0
    document = json.loads(capsys.readouterr().out)
    states = {one["path"]: one["state"] for one in document["files"]}
    assert states == {
        "config/deploy.yml": "new", "Dockerfile": "new", ".dockerignore": "kept", ".kamal/secrets": "new",
        ".gitignore": "adds", ".kamal/secret-key": "new", ".kamal/postgres-password": "new",
    }  # fmt: skip
    assert document["written"] is True
    assert {"init.no_address", "init.no_health"} <= {one["code"] for one in document["findings"]}
    assert (shop / ".dockerignore").read_text() == "mine\n"
    assert (shop / ".gitignore").read_text().startswith("*.pyc\n# ")
    key = shop / ".kamal/secret-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip() not in json.dumps(document)


def test_the_stub_with_made_secrets_gives_every_value(shop: Path) -> None:
    main(["init", "--yes", "--make-secrets"])
    secrets = FileSecrets(Programs(shop, dict(os.environ)))
    password = (shop / ".kamal/postgres-password").read_text().strip()
    assert secrets.reveal("DB_PASSWORD") == secrets.reveal("POSTGRES_PASSWORD") == password
    assert len(secrets.reveal("SECRET_KEY")) > 50


def test_health_writes_the_view_and_its_route(shop: Path) -> None:
    assert main(["init", "--yes", "--health"]) == 0
    urls = (shop / "shop/urls.py").read_text()
    assert URLS.splitlines()[2] in urls
    assert "from shop.health import up\n" in urls
    assert urls.endswith('urlpatterns = [path("up", up), *urlpatterns]\n')
    ast.parse((shop / "shop/health.py").read_text())
    assert main(["inspect", "--json"]) == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_questions_at_a_terminal(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = "not a host!\nweb-1.example.org\nshop.example.org\nn\ny\ny\n"
    screen = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answers))
    monkeypatch.setattr("sys.stderr", screen)
    assert main(["init"]) == 0
    config = config_of(shop)
    assert config.roles[0].hosts == ("web-1.example.org",)
    assert config.accessories == ()
    assert (shop / "shop/health.py").exists()
    assert "the name or address of a server" in screen.getvalue()


def test_no_at_the_end_writes_nothing(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("\n\nn\nn\nn\n"))
    monkeypatch.setattr("sys.stderr", Terminal())
    assert main(["init"]) == 130
    assert files_of(shop) == FILES


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["missing"], 3, "inspect.no_directory"),
        (["shop"], 3, None),
        (["--service", "Not Good"], 2, "usage.wrong"),
        (["--server", "-x"], 2, "usage.wrong"),
        (["--python", "2.7"], 2, "usage.wrong"),
    ],
)
def test_ways_out(
    shop: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, error: str | None
) -> None:
    if error is None:
        (shop / "empty").mkdir()
        words, error = ["empty"], "inspect.no_project"
    assert main(["init", "--json", *words]) == code
    assert json.loads(capsys.readouterr().out)["error"]["code"] == error
    assert not (shop / "config").exists()


def test_a_configuration_at_the_root_is_the_one_that_counts(shop: Path) -> None:
    (shop / "deploy.yml").write_text("service: mine\n")
    assert main(["init", "--yes"]) == 0
    assert not (shop / "config").exists()
    assert not (shop / ".kamal").exists(), "its secrets are not known"


@pytest.mark.parametrize(("name", "runtime"), [("harbor", "venv"), ("pier", "docker")])
def test_examples(name: str, runtime: str, tmp_path: Path) -> None:
    """Their own configurations, less what no file says (who listens where), are what init finds."""
    place = tmp_path / name
    shutil.copytree(EXAMPLES / name, place)
    ours = load_config({"deploy.yml": (place / "config/deploy.yml").read_text()})
    for path in ("config", ".kamal"):
        shutil.rmtree(place / path)
    for path in ("Dockerfile", ".dockerignore"):
        (place / path).unlink(missing_ok=True)
    listed = next(role for role in ours.roles if role.name == "web")
    server, site = listed.hosts[0], listed.proxy.names()[0]
    assert main(["init", str(place), "--yes", "--runtime", runtime, "--server", server, "--host", site]) == 0
    found = config_of(place)
    assert found.warnings == ()
    roles = {role.name: role.kind for role in ours.roles}
    roles.pop("beat" if name == "harbor" else "", None)  # a command of its own, in no file but the configuration
    assert {role.name: role.kind for role in found.roles} == roles
    assert found.django.settings in (ours.django.settings, f"{name}.settings")
    assert (found.runtime, found.django.static.root) == (ours.runtime, ours.django.static.root)
    web, own = (next(role for role in one.roles if role.name == "web") for one in (found, ours))
    assert web.proxy.healthcheck.path == own.proxy.healthcheck.path
    assert web.proxy.app_port == own.proxy.app_port
    env, own_env = web.env[server], own.env[server]
    assert set(own_env.secrets()) == set(env.secrets())
    assert env.texts()["ALLOWED_HOSTS"] == own_env.texts()["ALLOWED_HOSTS"]
    assert {one.name: one.image for one in found.accessories} == {one.name: one.image for one in ours.accessories}
    if name == "pier":
        assert env.texts()["REDIS_URL"] == own_env.texts()["REDIS_URL"]
        text = (place / "Dockerfile").read_text()
        assert '"pier.asgi:application"' in text
        assert "USER app" in text
        assert "RUN env SECRET_KEY=only-for-the-build python manage.py collectstatic --noinput" in text
