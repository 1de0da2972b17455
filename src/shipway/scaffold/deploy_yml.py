"""`config/deploy.yml`, built from what is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.django.dockerfile import exec_words
from shipway.scaffold.accessories import Accessories, wants_accessories
from shipway.scaffold.roles import Role
from shipway.scaffold.server import WEB_CONCURRENCY, Server
from shipway.scaffold.storage import Storage
from shipway.scaffold.subject import APP_PORT, Subject
from shipway.scaffold.variables import Environment, is_secret_name
from shipway.scaffold.yaml import Noted, Value, render_yaml

HEALTH = "/up"
"""The path that is asked where the project has none of its own: Kamal's."""
_MOST_OPTIONAL = 25
_LISTENS = re.compile(r"(?:0\.0\.0\.0|\[::\]|\s|=):(\d{2,5})\b|--port[ =](\d{2,5})\b")


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the configuration is made of."""

    subject: Subject
    roles: Sequence[Role]
    accessories: Accessories
    environment: Environment
    storage: Storage
    server: Server


def write_deploy_yml(parts: Parts) -> str:
    """Return the text of `config/deploy.yml`."""
    subject = parts.subject
    is_docker = subject.wishes.runtime == "docker"
    root: dict[str, Value] = {"service": subject.service}
    if is_docker:
        root["image"] = subject.service
    else:
        root["runtime"] = Noted("venv", beside="a virtualenv for each release; no containers")
    root["servers"] = _servers(parts)
    root["proxy"] = _proxy(parts)
    if is_docker:
        root |= _image(subject)
    root |= _project(subject)
    root["env"] = _env(parts)
    if parts.accessories.all:
        root["accessories"] = _accessories(parts)
    if parts.storage.volumes:
        volumes = [f"{volume.name}:{volume.path}" for volume in parts.storage.volumes]
        root["volumes"] = Noted(volumes, above=("What outlives a container.",))
    if not is_docker:
        root |= _kept(subject)
    head = (
        "How this project is deployed. Written by `shipway init`; it is yours to change.",
        "`shipway config` checks it, `shipway plan deploy` shows what would be done.",
    )
    return render_yaml(root, head=head)


def _servers(parts: Parts) -> Noted:
    subject = parts.subject
    hosts = [subject.server]
    roles: dict[str, Value] = {}
    for role in parts.roles:
        body: dict[str, Value] = {"hosts": hosts}
        above = [f"From {role.place}."] if role.place and role.place.file else []
        above += [f"Not sure: {role.note}."] if role.note else []
        if role.kind == "web":
            if role.cmd and not subject.image:
                above.append(f"There it runs: {role.cmd}")
            above.append(_web_command(parts))
        elif role.cmd:
            body["cmd"] = role.cmd
        if role.kind == "scheduler":
            # The configuration knows these names by itself.
            body |= {} if role.name in ("beat", "scheduler", "clock") else {"kind": "scheduler"}
            above.append("Exactly one at any time: the old one stops before the new one starts.")
        roles[role.name] = Noted(body, above=tuple(text for text in above if text))
    missing = "" if subject.wishes.server else "EDIT: the address of your server, in place of 192.0.2.1."
    return Noted(roles, above=(missing,) if missing else ())


def _web_command(parts: Parts) -> str:
    if parts.subject.wishes.runtime == "docker":
        return "Its command is the CMD of the image."
    name = "uvicorn" if parts.subject.application[0] == "asgi" else "gunicorn"
    return f"Without `cmd` it is {name}, on a socket that Shipway names."


def _proxy(parts: Parts) -> Noted:
    subject = parts.subject
    site, health = subject.wishes.site, subject.text("health")
    body: dict[str, Value] = {}
    above: tuple[str, ...] = ()
    if site:
        body["host"] = site
        body |= _ssl(subject, site)
    else:
        above = ("With a name of its own: `host: shop.example.org` and `ssl: true`. Without, any name is answered.",)
    if subject.wishes.proxy == "nginx":
        body["run"] = {"program": "nginx"}
    if subject.wishes.runtime == "docker":
        body["app_port"] = _port(subject)
    path = health if health.startswith("/") else HEALTH
    unknown = "" if health else "no such view was found: see `shipway init --health`"
    body["healthcheck"] = {"path": Noted(path, beside=unknown)}
    return Noted(body, above=above)


def _ssl(subject: Subject, site: str) -> dict[str, Value]:
    """Return how browsers reach the site. nginx takes certificates that are there: certbot's, or files."""
    wishes, is_public = subject.wishes, "." in site and not site.replace(".", "").isdigit()
    if wishes.proxy == "nginx":
        text = (
            f"HTTPS: on the server `certbot certonly --webroot -w /var/www/html -d {site}`, and then `ssl: true`; or a "
            "certificate of your own: `ssl: {certificate_file: /etc/ssl/…, private_key_file: /etc/ssl/…}`."
        )
        return {"ssl": Noted(value=False, above=(text,) if is_public else ())}
    told = "a certificate is asked for as soon as the name leads to the server"
    found: dict[str, Value] = {"ssl": Noted(is_public, beside=told if is_public else "")}
    if wishes.acme_ca:
        found["acme"] = {"ca": wishes.acme_ca, **({"ca_root": wishes.acme_root} if wishes.acme_root else {})}
    return found


def _port(subject: Subject) -> Value:
    """Return the port of the application: ours, or what the Dockerfile that stays says."""
    image = subject.image
    exposed = image.last("EXPOSE") if image else None
    port = exposed.text.split()[0].partition("/")[0] if exposed and exposed.text.split() else ""
    if image is None:
        return APP_PORT
    said = exposed
    if not port:
        said = image.last("CMD", "ENTRYPOINT")
        match = _LISTENS.search(" ".join(exec_words(said.text))) if said else None
        port = next((group for group in match.groups() if group), "") if match else ""
    if said is not None and port.isdigit() and 0 < int(port[:6]) < 65_536:  # noqa: PLR2004  the ports of TCP
        return Noted(int(port), beside=f"{image.path}:{said.line}")
    return Noted(APP_PORT, beside=f"{image.path} does not say")


def _image(subject: Subject) -> dict[str, Value]:
    image = subject.image
    builder: dict[str, Value] = {"arch": "amd64"}
    if image is not None and image.path != "Dockerfile":
        place = subject.inside(image.path)
        builder |= {"dockerfile": place} if place != "Dockerfile" else {}
    registry = (
        "`none`: images go to the servers through their SSH connections. With a registry:",
        "  registry: {server: ghcr.io, username: you, password: [REGISTRY_PASSWORD]}",
    )
    return {
        "registry": Noted("none", above=registry),
        "builder": Noted(builder, above=("The architecture of the servers: amd64 or arm64.",)),
    }


def _project(subject: Subject) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if subject.base != ".":
        found["project"] = Noted(subject.base, above=("The directory of the Django project in the repository.",))
    django: dict[str, Value] = {}
    if subject.settings:
        django["settings"] = Noted(subject.settings, above=_unsure(subject))
    kind, application = subject.application
    if application:
        django[kind] = application
    manage = subject.inside(subject.text("manage"))
    if manage not in ("", "manage.py"):
        django["manage"] = manage
    if subject.wishes.runtime == "venv":
        django |= _files(subject)
    if django:
        found["django"] = django
    if subject.wishes.runtime == "venv":
        venv: dict[str, Value] = {"python": subject.python[0]} if subject.python[1] else {}
        lock = subject.inside(subject.lock)
        venv |= {"lock": lock} if lock not in ("", "requirements.txt", "uv.lock", "pylock.toml") else {}
        found |= {"venv": venv} if venv else {}
    return found


def _unsure(subject: Subject) -> tuple[str, ...]:
    fact = subject.fact("settings")
    if subject.wishes.settings or (fact.confidence in ("high", "medium") and not fact.conflicts):
        return ()
    reasons = "; ".join(fact.conflicts) or (f"from {fact.evidence[0]}" if fact.evidence else "")
    return (f"Not sure that these are the settings for production{f' ({reasons})' if reasons else ''}: please look.",)


def _files(subject: Subject) -> dict[str, Value]:
    """Static files and uploads, for the venv runtime, whose proxy serves them."""
    found: dict[str, Value] = {}
    for name in ("static", "media"):
        root = subject.text(f"{name}_root")
        if not root or root.startswith("/") or ".." in root:
            continue
        url = subject.text("static_url") if name == "static" else ""
        section: dict[str, Value] = {"root": subject.inside(root)}
        section |= {"url": f"/{url.strip('/')}/"} if url and "://" not in url and url.strip("/") else {}
        found[name] = section
    return found


def _env(parts: Parts) -> Noted:
    subject, environment = parts.subject, parts.environment
    clear: dict[str, Value] = {}
    is_told = any(one.name == "DJANGO_SETTINGS_MODULE" and one.required for one in subject.variables)
    if is_told and subject.settings and subject.image:
        clear["DJANGO_SETTINGS_MODULE"] = subject.settings
    for one in environment.clear:
        clear[one.name] = Noted(one.value, beside=one.told)
    takes_number = parts.server.name in WEB_CONCURRENCY and not {"--workers", "-w"} & set(parts.server.argv)
    if subject.wishes.runtime == "docker" and takes_number and not subject.image:
        clear.setdefault("WEB_CONCURRENCY", Noted("2", beside=f"processes of {parts.server.name}"))
    secret: list[Value] = [Noted(one.name, beside=one.told) for one in environment.secret]
    body: dict[str, Value] = {}
    if clear:
        body["clear"] = clear
    if secret:
        body["secret"] = Noted(secret, above=("Their values come from .kamal/secrets.",))
    return Noted(body, below=_optional(environment))


def _optional(environment: Environment) -> tuple[str, ...]:
    names = [one.name for one in environment.optional]
    secret = [name for name in names if is_secret_name(name)]
    clear = [name for name in names if name not in secret]
    found = []
    for words, some in (("Also read, with a default", clear), ("Also read, and secret", secret)):
        if some:
            more = f" and {len(some) - _MOST_OPTIONAL} more" if len(some) > _MOST_OPTIONAL else ""
            found.append(f"{words}: {', '.join(some[:_MOST_OPTIONAL])}{more}.")
    if not found:
        return ()
    return (*found, "`shipway inspect -v` says where.")


def _accessories(parts: Parts) -> Noted:
    found: dict[str, Value] = {}
    for one in parts.accessories.all:
        env: dict[str, Value] = {"clear": one.clear} if one.clear else {}
        env |= {"secret": list(one.secret)} if one.secret else {}
        body: dict[str, Value] = {"image": one.image, "host": parts.subject.server}
        body |= {"env": env} if env else {}
        body |= {"port": one.port} if one.port else {}
        found[one.name] = {**body, "directories": [one.directory]}
    reached = ", ".join(
        f"{one.name} at {one.port.rpartition(':')[0]}"
        if one.port
        else f"{one.name} as `{parts.subject.service}-{one.name}`"
        for one in parts.accessories.all
    )
    return Noted(found, above=(f"They live on when the application is deployed. It reaches {reached}.",))


def _kept(subject: Subject) -> dict[str, Value]:
    if subject.text("database") in ("sqlite3", "spatialite"):
        text = "The directory of the SQLite file, which outlives releases. EDIT: where do your settings put the file?"
        return {"shared": Noted(["var/"], above=(text,))}
    return {}


def without_accessories(subject: Subject) -> bool:
    """Tell whether the project needs servers that this configuration does not start."""
    wished = subject.wishes
    return wants_accessories(subject) and not (
        wished.accessories or (wished.runtime == "docker" and wished.accessories is None)
    )
