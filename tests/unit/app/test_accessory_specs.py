"""From Kamal's own files to `docker run`: names, places and flags are those that Kamal 2.12 would give."""

import json
import shutil
from pathlib import Path

import pytest

from shipway.adapters.redact import Redactor
from shipway.app.accessory_specs import accessory_targets
from shipway.app.call import Choice
from shipway.app.docker_settings import docker_settings_of
from shipway.app.hosts import HostBasics
from shipway.app.service import load_service
from shipway.config.registry import Registry
from shipway.core.action import Upload
from shipway.core.errors import ConfigError
from shipway.core.secret import SecretRef
from shipway.runtimes.docker.accessory import AccessorySpec, run_argv
from shipway.runtimes.docker.accessory_steps import place_step, pull_step
from shipway.runtimes.docker.images.login import login_step

KAMAL = Path(__file__).parent.parent / "config" / "kamal"
BASICS = HostBasics("/var/lib/shipway", home="/root", is_root=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    return tmp_path


def specs(basics: HostBasics = BASICS) -> dict[tuple[str, str], AccessorySpec]:
    service = load_service(Choice())
    targets = accessory_targets(service, dict.fromkeys(service.config.hosts, basics))
    return {(target.spec.name, target.spec.host): target.spec for target in targets}


def words(spec: AccessorySpec) -> list[str]:
    """The words of `docker run` without our own labels."""
    argv = list(run_argv(spec))
    argv = argv[argv.index("--detach") :]
    return [word for word in argv if "shipway." not in word]


@pytest.fixture
def kamal(project: Path) -> Path:
    shutil.copy(KAMAL / "fixtures" / "deploy_with_accessories.yml", project / "config" / "deploy.yml")
    (project / "test/fixtures/files").mkdir(parents=True)
    (project / "test/fixtures/files/my.cnf").write_text("[mysqld]\n")
    return project


def test_a_password_in_the_configuration_itself_stands_in_no_plan(project: Path) -> None:
    (project / "config/deploy.yml").write_text("""\
service: shop
image: ann/shop
registry: {username: ann, password: planted-in-root}
builder: {arch: amd64}
servers: [a]
accessories:
  db: {image: postgres, host: a}
  own: {image: r.example/x, host: a, registry: {server: r.example, username: bob, password: planted-in-own}}
""")
    (project / ".kamal").mkdir()
    (project / ".kamal/secrets").touch(0o600)
    service = load_service(Choice())
    found = specs()
    login = docker_settings_of(service.config).login
    assert login is not None
    assert login.password == (SecretRef("registry/password"),)
    for name, place in (("db", ""), ("own", "accessories/own/")):
        spec = found[name, "a"]
        assert spec.login is not None
        assert spec.login.password == (SecretRef(f"{place}registry/password"),)
    steps = [
        login_step(service.config.registry or Registry()),
        *(pull_step(spec, is_fresh=False) for spec in found.values()),
    ]
    assert "planted" not in repr((steps, found, login, service))
    service.secrets.check(["registry/password"])
    assert service.secrets.reveal("accessories/own/registry/password") == "planted-in-own"
    assert Redactor.of(service.secrets).clean(b"it is planted-in-root") == b"it is [registry/password redacted]"


def test_accessories_stand_where_kamal_puts_them(kamal: Path) -> None:
    expected = json.loads((KAMAL / "expected" / "deploy_with_accessories.json").read_text())["accessories"]
    found = specs()
    for name, body in expected.items():
        assert sorted(host for other, host in found if other == name) == body["hosts"]
    mysql = found["mysql", "1.1.1.3"]
    assert words(mysql) == [
        *("--detach", "--name", "app-mysql", "--restart=unless-stopped", "--publish=3306:3306"),
        *("--log-opt=max-size=10m", "--label=service=app-mysql", "--network=kamal"),
        "--volume=/root/app-mysql/etc/mysql/my.cnf:/etc/mysql/my.cnf",
        "--volume=/root/app-mysql/data:/var/lib/mysql",
        "mysql:5.7",
    ]
    assert dict(mysql.env) == {
        "KAMAL_HOST": ("1.1.1.3",),
        "MYSQL_ROOT_HOST": ("%",),
        "MYSQL_ROOT_PASSWORD": (SecretRef("MYSQL_ROOT_PASSWORD"),),
    }
    assert [directory.path for directory in mysql.directories] == ["/root/app-mysql/data"]
    assert mysql.login is not None, "image and registry are both Docker Hub's"
    assert mysql.login.server == ""


def test_a_missing_file_is_told_before_anything_is_done(kamal: Path) -> None:
    (kamal / "test/fixtures/files/my.cnf").unlink()
    with pytest.raises(ConfigError) as caught:
        specs()
    assert caught.value.code == "accessory.no_file"


FULL = """\
service: app
image: app
servers: [h]
registry: {server: registry.example.org, username: ann, password: [PASSWORD]}
builder: {arch: amd64}
accessories:
  db:
    service: own-name
    image: registry.example.org/team/db:1
    host: h
    cmd: sh -c 'echo "$1"; exec postgres -p 5433' sh
    port: "127.0.0.1:5433:5433"
    network: private
    env:
      clear: {EMPTY: "", HOST: "${HOST_TOKEN}", FLAG: false}
      secret: ["KEY:PEM_KEY"]
    labels: {team: core}
    options: {restart: "no", cpus: 2, init: true, ulimit: [nofile=1, nproc=2]}
    files:
      - {local: config/init.sql.erb, remote: /docker-entrypoint-initdb.d/init.sql, mode: "0640", owner: "999:999"}
    directories:
      - {local: data, remote: /data, mode: "0750", owner: "999:999", options: ro}
      - /srv/absolute:/absolute
    volumes: ["$PWD/extra:/extra", "named:/named", "~/home:/home"]
"""


@pytest.fixture
def full(project: Path) -> Path:
    (project / "config/deploy.yml").write_text(FULL)
    (project / "config/init.sql.erb").write_text('-- <%= ENV["HOST"] %>\nkey \'<%= ENV["KEY"] %>\'\n')
    return project


def test_every_key_reaches_docker(full: Path) -> None:
    spec = specs(HostBasics("/home/deploy/.shipway", home="/home/deploy"))["db", "h"]
    assert words(spec) == [
        *("--detach", "--name", "own-name", "--restart=no", "--publish=127.0.0.1:5433:5433", "--log-opt=max-size=10m"),
        *("--label=service=own-name", "--label=team=core", "--network=private", "--volume=/home/deploy/extra:/extra"),
        *("--volume=named:/named", "--volume=/home/deploy/home:/home"),
        "--volume=/home/deploy/own-name/docker-entrypoint-initdb.d/init.sql:/docker-entrypoint-initdb.d/init.sql",
        *("--volume=/home/deploy/own-name/data:/data:ro", "--volume=/srv/absolute:/absolute"),
        *("--cpus=2", "--init", "--ulimit=nofile=1", "--ulimit=nproc=2"),
        *("registry.example.org/team/db:1", "sh", "-c", 'echo "$$1"; exec postgres -p 5433', "sh"),
    ]
    assert [name for name, _ in spec.env] == ["KAMAL_HOST", "HOST", "FLAG", "KEY"]
    assert spec.env_file == "/home/deploy/.shipway/app/accessories/db.env"


def test_a_template_has_secrets_as_references(full: Path) -> None:
    spec = specs()["db", "h"]
    assert spec.files[0].body == ("-- ${HOST_TOKEN}\nkey '", SecretRef("PEM_KEY"), "'\n")
    uploads = [action for action in place_step(spec).do if isinstance(action, Upload)]
    assert [(upload.path, upload.mode) for upload in uploads] == [
        ("/root/own-name/docker-entrypoint-initdb.d/init.sql", 0o600),
        ("/var/lib/shipway/app/accessories/db.env", 0o600),
    ]


def test_a_template_with_other_ruby_is_refused(full: Path) -> None:
    (full / "config/init.sql.erb").write_text("<%= File.read('/etc/passwd') %>")
    with pytest.raises(ConfigError) as caught:
        specs()
    assert caught.value.code == "accessory.template"


def test_an_image_of_the_roots_registry_has_its_login(full: Path) -> None:
    step = pull_step(specs()["db", "h"], is_fresh=False)
    text = "".join(str(part) for part in step.do[1].stdin)
    assert '"registry.example.org"' in text
    assert SecretRef("PASSWORD", "json") in step.do[1].stdin


def test_a_port_alone_is_open_to_everybody(kamal: Path) -> None:
    warnings = [finding for finding in load_service(Choice()).config.warnings if finding.code == "config.open_port"]
    assert [finding.next for finding in warnings] == [
        'write "127.0.0.1:3306:3306"; containers reach it without any port',
        'write "127.0.0.1:6379:6379"; containers reach it without any port',
    ]
