"""The reference of the configuration file as Markdown, from the declarations that read it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from shipway.config.accessories import ACCESSORY, MountKind
from shipway.config.env import EnvKind
from shipway.config.keys import Key, ListOf, MapOf, OneOf, Section, Subtree, keys_of
from shipway.config.kinds import Integer, Kind, Text
from shipway.config.registry import RegistryKind
from shipway.config.root import SHIPWAY_KEYS, Root
from shipway.config.schedule import JobSection
from shipway.config.servers import ROLE, HostKind, ServersKind
from shipway.config.unused import WITHOUT_EFFECT
from shipway.config.verify_keys import CheckKeys

_UNITS = {"s": "seconds"}
_INTRODUCTION = """\
# The configuration file

<!-- Written by bin/docs from src/shipway/config. Change it there. -->

`config/deploy.yml` (or `deploy.yml`, or `-c FILE`) has the keys of Kamal 2.12; a file that works with Kamal works
unchanged. `-d NAME` merges `deploy.NAME.yml` over it: maps merge by key, anything else is replaced. Keys marked
*Shipway* are ours; where Kamal must read the same file they may stand under `x-shipway:`. Keys that begin with `x-` are
passed over at the root. Values follow YAML 1.1, as in Kamal: quote `yes`, `0640`, `22:22` and dates that are text.

All mistakes are told at once, each with file, line and key. A JSON Schema for editors is in `deploy.schema.json`; to
use it, begin the file with `# yaml-language-server: $schema=` and its path.

## ERB

The file is rendered before it is read. Between `<%=` and `%>` may stand:

| form | gives |
|---|---|
| `ENV["NAME"]` | the environment variable, nothing where it is not set |
| `ENV.fetch("NAME")` | the variable; an error where it is not set |
| `ENV.fetch("NAME", "default")`, `ENV.fetch("NAME") { "default" }` | the variable or the default |
| `"text"`, `'text'`, `42`, `1.5`, `true`, `false`, `nil` | itself |
| `Kamal::Utils.docker_arch` | `amd64` or `arm64`: this machine |
| `` `git rev-parse HEAD` ``, `` `git rev-parse --short HEAD` ``, both also as `%x( )` | the commit |
| `a == b`, `a != b`, `a \\|\\| b`, `a ? b : c`, `( )`, `.strip`, `.chomp`, `.to_s` | as in Ruby |

`<%# comment %>`, `<%%`, `<%-` and `-%>` work as in Ruby. Anything else is an error with its line, and is never run.
`KAMAL_DESTINATION` is the destination.

## Errors where Kamal crashes or says nothing

| in the file | Kamal | here |
|---|---|---|
| a file or destination file that is empty, or a list | crashes | error |
| a key that stands twice; a second document (`---`) | uses one, silently | error |
| a Ruby tag (`!ruby/...`), ERB outside the subset | runs it | error, nothing is run |
| a tag neither in `env/tags` nor used by an accessory; `[a b]` or `"a,b"` for two tags | no tag | error |
| a flag under `options` without a value | `--flag ""` | error |
| a host that is a number or a boolean; `proxy/host: yes` | drops it; crashes | error |
| `boot/limit` of 0 or in quotes (`"3"`) | crashes in the deploy | error |
| `builder/pack` without `builder` or `buildpacks` | crashes | error |
| an accessory without image, without hosts, with a tag that no host has | fails later | error |
| an accessory with `tag` where `servers` is a list | crashes | error |
| `port: 22:22` and `mode: 0640` without quotes | another number | error |
| `files` and `directories` without a target, or with unknown parts | crashes; ignored | error |
| reserved labels (`service`, `role`, `destination`) at the root | loses its own containers | error |
| `proxy/run/bind_ips` that are no addresses | not checked | error |
| a number that reads otherwise than it is written, such as `3.10` in `env` | 3.1 | the same, with a warning |
| `run_directory`; `driver: docker` with cache, remote or several arches | ignored | accepted, with a warning |
"""
_ENV = """\

Either variables alone, all of them clear, or:

- `clear`: variables and their values.
- `secret`: names, or `NAME:SECRET` (name of the variable : name of the secret); values come from the secrets files.
- `tags` (only at the root): variables, or `clear` and `secret`, for hosts with a tag.
"""
_CHECKS = """\

Every check below may also say `required` (whether a failure turns a deploy back; otherwise it is only told), `timeout`
(seconds that one request, or one question, may take) and `retries` (how often it is tried again). What the file names
is required unless it says otherwise. `true` asks for a check as it is, `false` leaves it out; [what each looks
at](verify.md).
"""
_HOSTS = """\

A host is a name or an address, with tags where it has any: `- 192.0.2.1`, `- 192.0.2.2: reader`,
`- 192.0.2.3: [reader, big]`. A tag must be defined under `env/tags` or used by an accessory.
"""
_JOBS = """\

What becomes of a job is told in [schedule.md](schedule.md).
"""


def config_reference() -> str:
    """Return the whole page."""
    return _INTRODUCTION + _without_effect() + "\n## Keys\n" + "".join(_section(Root, "")) + "".join(_parts())


def section_reference(name: str) -> str:
    """Return the part of the page that tells of the key `name` of the root and of all keys below it."""
    found = []
    for block in config_reference().split("\n### `")[1:]:
        path = block.partition("`")[0]
        if path == name or path.startswith(f"{name}/"):
            found.append("### `" + block.partition("\n## ")[0])
    return "\n".join(found)


def _without_effect() -> str:
    texts = ["In this version these are read and checked, and nothing uses them."]
    for runtime, keys in WITHOUT_EFFECT.items():
        texts.append(f"With `runtime: {runtime}`: {', '.join(f'`{name}`' for name in keys)}.")
    filled = (textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) for text in texts)
    return "\n## Without effect yet\n\n" + "\n\n".join(filled) + "\n"


def _parts() -> Iterator[str]:
    yield "\n## Roles: `servers/<role>`\n" + _HOSTS
    yield from _section(ROLE.model, "servers/<role>")
    yield "\n## Accessories: `accessories/<name>`\n"
    yield from _section(ACCESSORY.model, "accessories/<name>")
    yield "\n## Jobs: `schedule/<name>` *(Shipway)*\n" + _JOBS
    yield from _section(JobSection, "schedule/<name>")


def _section(model: type, path: str) -> Iterator[str]:
    deeper: list[str] = []
    shared = keys_of(CheckKeys) if issubclass(model, CheckKeys) else ()
    for name, info in keys_of(model).items():
        if name in shared:
            continue  # told once, at `verify`
        full = f"{path}/{name}" if path else name
        own = " *(Shipway)*" if not path and name in SHIPWAY_KEYS else ""
        yield f"\n### `{full}`{own}\n\n{info.doc}\n\n- type: {_type(info.kind)}{_default(info)}\n"
        if isinstance(info.kind, EnvKind) and not path:
            yield _ENV
        if full == "verify":
            yield _CHECKS
        section = _inner(info.kind)
        if section is not None and not _is_repeated(path, name):
            deeper.extend(_section(section.model, full))
    yield from deeper


def _is_repeated(path: str, name: str) -> bool:
    # These have the same keys at a role or accessory as at the root; roles and accessories have chapters of their own.
    is_laid_over = path.startswith(("servers/", "accessories/")) and name in ("proxy", "logging", "registry")
    return name == "accessories" or is_laid_over


def _inner(kind: Kind) -> Section | None:
    match kind:
        case Section():
            return kind
        case RegistryKind(section=section):
            return section
        case Subtree(kind=inner) | ListOf(item=inner):
            return _inner(inner)
        case OneOf(kinds=kinds):
            return next((found for part in kinds if (found := _inner(part)) is not None), None)
        case _:
            return None


def _default(info: Key) -> str:
    return f"\n- default: {info.default}" if info.default else ""


def _type(kind: Kind) -> str:  # noqa: PLR0911  one line per kind
    match kind:
        case Text(choices=choices) if choices:
            return " or ".join(f"`{choice}`" for choice in choices)
        case Integer(unit=unit, least=least):
            return (
                "integer"
                + (f", in {_UNITS.get(unit, unit)}" if unit else "")
                + (f", at least {least}" if least is not None else "")
            )
        case ListOf(item=item):
            return f"list, each: {_type(item)}"
        case MapOf(item=item):
            return f"map, each: {_type(item)}"
        case OneOf(kinds=kinds):
            return " or ".join(dict.fromkeys(_type(part) for part in kinds))
        case Subtree(kind=inner):
            return _type(inner)
        case HostKind():
            return "host"
        case MountKind():
            return "string or map"
        case ServersKind():
            return "list of hosts or map of roles"
        case _:
            return {"a hash": "map", "a boolean": "boolean", "a string": "string"}.get(kind.words, kind.words)
