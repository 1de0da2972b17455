"""`shipway build` and `registry` with a docker program that notes what it is asked; the real ones run in tests/lab."""

import base64
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shipway.cli.main import main
from tests.cli.conftest import Answer, Project, git

PASSWORD, TOKEN = "p4ss-w0rd-of-ann", "t0ken-for-the-build"
DEPLOY_YML = """\
service: shop
image: ann/shop
transport: local
state_directory: {state}
servers: [here]
registry: {registry}
builder: {builder}
"""
REGISTRY = "{server: r.example, username: ann, password: [REGISTRY_PASSWORD]}"
BUILDER = "{arch: amd64, args: {COLOUR: blue}, secrets: [TOKEN]}"
DOCKER = """\
#!{python}
import json, os, sys
from pathlib import Path
home = Path({home!r})
words = sys.argv[1:]
rules = json.loads((home / "rules.json").read_text())
stdin = "" if sys.stdin.isatty() else sys.stdin.read()
env = {{name: os.environ[name] for name in ("TOKEN", "COLOUR", "DOCKER_BUILDKIT") if name in os.environ}}
with (home / "calls.jsonl").open("a") as file:
    print(json.dumps({{"argv": words, "stdin": stdin, "env": env, "cwd": os.getcwd()}}), file=file)
for begin, status, said in rules:
    if " ".join(words).startswith(begin):
        sys.stdout.write(said if not status else "")
        sys.stderr.write(said if status else "")
        sys.exit(status)
"""
VERSION = json.dumps({"Client": {"Version": "20.10.24"}, "Server": {"Version": "20.10.24", "Os": "linux"}})
CLEAN = json.dumps([{"Id": "sha256:" + "a" * 64, "Config": {"User": "app", "Env": ["A=1"], "WorkingDir": "/app"}}])
NO_BUILDX = ["buildx version", 1, "docker: 'buildx' is not a docker command."]


@dataclass
class Call:
    argv: str
    stdin: str
    env: dict[str, str]
    cwd: str


@dataclass
class Shop:
    """A project whose docker is ours. `rules` are beginnings of commands with a status and what is said."""

    directory: Path
    home: Path
    capsys: pytest.CaptureFixture[str]
    rules: list[list[object]] = field(default_factory=list)

    def __call__(self, *words: str) -> Answer:
        rules = [*self.rules, ["version", 0, VERSION], NO_BUILDX, ["image inspect", 0, CLEAN], ["create", 1, "no"]]
        (self.home / "rules.json").write_text(json.dumps(rules))
        (self.home / "calls.jsonl").write_text("")
        self.capsys.readouterr()
        code = main(list(words))
        out, err = self.capsys.readouterr()
        assert PASSWORD not in out + err
        assert TOKEN not in out + err
        return Answer(code, out, err)

    def calls(self) -> list[Call]:
        lines = (self.home / "calls.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [Call(" ".join(one["argv"]), one["stdin"], one["env"], one["cwd"]) for one in found]

    def words(self) -> list[str]:
        """The words that begin each call, in order; what only looks is left out."""
        looks = ("version", "buildx version", "image inspect", "history", "create", "cp", "rm ")
        return [call.argv for call in self.calls() if not call.argv.startswith(looks)]

    def configure(self, registry: str = REGISTRY, builder: str = BUILDER) -> None:
        text = DEPLOY_YML.format(state=self.home / "state", registry=registry, builder=builder)
        (self.directory / "config" / "deploy.yml").write_text(text)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    home, directory = tmp_path / "home", tmp_path / "shop"
    (directory / "config").mkdir(parents=True)
    (directory / ".kamal").mkdir()
    (home / "bin").mkdir(parents=True)
    docker = home / "bin" / "docker"
    docker.write_text(DOCKER.format(python=sys.executable, home=str(home)))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "docker"))
    monkeypatch.delenv("VERSION", raising=False)
    monkeypatch.chdir(directory)
    (directory / ".kamal" / "secrets").write_text(f"REGISTRY_PASSWORD={PASSWORD}\nTOKEN={TOKEN}\n")
    (directory / ".kamal" / "secrets").chmod(0o600)
    (directory / ".gitignore").write_text(".kamal\n")
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY . /app\nRUN make all\n")
    found = Shop(directory, home, capsys)
    found.configure()
    git(directory, "init", "-q")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "Begin")
    return found


def head(shop: Shop) -> str:
    return (shop.directory / ".git" / (shop.directory / ".git" / "HEAD").read_text().split()[1]).read_text().strip()


def test_push_logs_in_builds_and_pushes(shop: Shop) -> None:
    (shop.directory / "not-committed").touch()
    answer = shop("build", "push")
    assert answer.code == 0, answer.err
    version, image = head(shop), "r.example/ann/shop"
    login, build, *pushes = shop.words()
    assert login == "login --username ann --password-stdin r.example"
    assert build == (
        f"build --progress=plain --platform linux/amd64 -t {image}:{version} -t {image}:latest --label service=shop"
        " --build-arg COLOUR --secret id=TOKEN --file Dockerfile ."
    )
    assert sorted(pushes) == sorted([f"push {image}:{version}", f"push {image}:latest"])
    calls = {call.argv.split()[0]: call for call in shop.calls()}
    assert calls["login"].stdin == PASSWORD
    assert calls["build"].env == {"TOKEN": TOKEN, "COLOUR": "blue", "DOCKER_BUILDKIT": "1"}
    clone = Path(calls["build"].cwd)
    assert (clone / "Dockerfile").exists()
    assert not (clone / "not-committed").exists()
    assert clone.is_relative_to(shop.home / "cache")
    assert "buildx is not installed" in answer.err
    assert f"{image}:{version}: built and pushed" in answer.out


def test_json_tells_events_and_the_result(shop: Shop) -> None:
    answer = shop("build", "push", "--json")
    *events, last = [json.loads(line) for line in answer.out.splitlines()]
    assert {"stage.begin", "step.begin", "step.done"} <= {event["event"] for event in events}
    assert last["build"]["is_pushed"] is True
    assert last["build"]["version"] == head(shop)


def test_a_version_of_the_environment_and_a_working_tree(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSION", "v7")
    assert shop("build", "push").code == 0
    assert "push r.example/ann/shop:v7" in shop.words()
    monkeypatch.delenv("VERSION")
    shop.configure(builder="{arch: amd64, context: .}")
    assert shop("build", "push").code == 0
    build = next(call for call in shop.calls() if call.argv.startswith("build "))
    assert build.cwd == str(shop.directory)
    assert f":{head(shop)}_uncommitted_" in build.argv


@pytest.mark.parametrize(
    ("rule", "code", "exit_code", "says"),
    [
        (
            ["login", 1, "Error from daemon: 401 Unauthorized"],
            "registry.refused",
            5,
            "refused the login of ann",
        ),
        (["login", 1, "dial tcp: connect: connection refused"], "registry.unreachable", 5, "r.example did not answer"),
        (["push", 1, "denied: requested access is denied"], "registry.refused", 5, "from ann"),
        (["build ", 1, "Step 3/3 : RUN make all\nno rule"], "build.failed", 4, "Dockerfile:3"),
        (["version", 1, "Cannot connect to the Docker daemon"], "build.no_engine", 4, "did not answer"),
    ],
)
def test_what_fails_says_why_and_ends_the_rest(
    shop: Shop, rule: list[object], code: str, exit_code: int, says: str
) -> None:
    shop.rules = [rule]
    answer = shop("build", "push")
    assert answer.code == exit_code
    assert f"error[{code}]" in answer.err
    assert says in answer.err
    if rule[0] != "push":
        assert not any(word.startswith("push") for word in shop.words())


def test_no_docker_and_no_dockerfile(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.directory / "Dockerfile").rename(shop.directory / "Elsewhere")
    git(shop.directory, "add", "-A")
    git(shop.directory, "commit", "-q", "-m", "Move")
    (shop.directory / "Dockerfile").touch()
    answer = shop("build", "push")
    assert (answer.code, shop.calls()) == (3, [])
    assert "git add Dockerfile && git commit" in answer.err
    shop.configure(builder="{arch: amd64, dockerfile: Elsewhere}")
    (shop.home / "bin" / "docker").unlink()
    (shop.home / "bin" / "git").symlink_to(shutil.which("git") or "")
    (shop.home / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(shop.home / "bin"))
    answer = shop("build", "push")
    assert answer.code == 4
    assert "build.no_docker" in answer.err


def test_a_secret_in_the_image_goes_nowhere(shop: Shop) -> None:
    image = json.dumps([{"Id": "x", "Config": {"Env": [f"A=x{TOKEN}y"], "User": "app"}}])
    shop.rules = [["image inspect", 0, image]]
    answer = shop("build", "push")
    assert answer.code == 4
    assert "image.has_secrets" in answer.err
    assert "the value of TOKEN stands in its environment (A)" in answer.err
    assert not any(word.startswith("push") for word in shop.words())


def test_dev_builds_the_working_tree_and_keeps_it(shop: Shop) -> None:
    assert shop("build", "dev", "--no-cache").code == 0
    (build,) = shop.words()
    assert f"-t r.example/ann/shop:{head(shop)}-dirty -t r.example/ann/shop:latest-dirty --no-cache" in build
    assert shop("build", "push", "--output", "docker").code == 0
    assert not any(word.startswith("push") for word in shop.words())


def test_pull_and_deliver_on_the_hosts(shop: Shop) -> None:
    assert shop("build", "pull").code == 0
    (pull,) = shop.words()
    assert pull.startswith("--config /")
    assert pull.endswith(f"pull --quiet r.example/ann/shop:{head(shop)}")
    answer = shop("build", "deliver")
    assert answer.code == 0
    assert "built and pushed and pulled by here" in answer.out
    shop.rules = [["--config", 1, "manifest unknown"]]
    answer = shop("build", "pull")
    assert (answer.code, "image.not_pulled" in answer.err) == (5, True)


def test_builder_verbs(shop: Shop) -> None:
    assert "nothing to do" in shop("build", "create").out
    shop.configure(builder="{arch: amd64, driver: docker-container}")
    shop.rules = [["buildx inspect", 1, "no builder"]]
    assert "create the builder kamal-local-docker-container" in shop("build", "create").out
    assert "buildx create --name kamal-local-docker-container --driver=docker-container" in shop.words()
    shop.rules = []
    assert json.loads(shop("build", "remove", "--json").out.splitlines()[-1]) == {
        "done": ["remove the builder kamal-local-docker-container"]
    }
    assert [one["role"] for one in shop("build", "details", "--json").json] == [
        "docker context ls",
        "docker buildx inspect kamal-local-docker-container",
    ]


def test_registry_verbs(shop: Shop) -> None:
    answer = shop("registry", "login")
    assert (answer.code, answer.out) == (0, "logged in: here, here\n")
    assert shop.words() == ["login --username ann --password-stdin r.example"] * 2
    assert {call.stdin for call in shop.calls()} == {PASSWORD}
    assert shop("registry", "logout", "-L", "--json").json == {"places": ["here"]}
    assert shop.words() == ["logout r.example"]
    assert shop("registry", "setup", "-R").code == 0
    shop.configure(registry="none")
    for verb in ("login", "logout"):
        answer = shop("registry", verb)
        assert (answer.code, "registry.none" in answer.err) == (2, True)
    for verb in ("setup", "remove"):
        assert shop("registry", verb).code == 0
        assert shop.words() == []


def test_a_name_that_is_a_secret(shop: Shop) -> None:
    shop.configure(registry="{server: r.example, username: [TOKEN], password: [REGISTRY_PASSWORD]}")
    assert shop("registry", "login", "-R").code == 0
    assert shop.calls() == []  # `docker login` would have the name among its arguments
    written = json.loads((shop.home / "docker" / "config.json").read_text())
    assert base64.b64decode(written["auths"]["r.example"]["auth"]).decode() == f"{TOKEN}:{PASSWORD}"


def test_venv_has_no_image(project: Project) -> None:
    for words in (("build", "push"), ("build", "details"), ("registry", "login")):
        answer = project(*words)
        assert (answer.code, "build.nothing" in answer.err) == (3, True)
