"""What well-known functions and methods return in the abstract interpreter. Everything else is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from shipway.django.urls_of_services import engine_of_url
from shipway.django.values import UNKNOWN_VALUE, Either, Ref, Unknown, either

MAX_CHARS = 4_000
"""A text or list beyond this is no setting; without a bound a few lines could double one until memory ends."""
MAX_DIGITS = 300
Arguments = list[object]
Words = dict[str, object]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The variables of the process, and the defaults that `environ.Env(NAME=(type, default))` declares on the way.

    A variable whose value is secret is there with `UNKNOWN_VALUE`.
    """

    environ: Mapping[str, object]
    scheme: dict[str, object] = field(default_factory=dict)


_SAME = frozenset(
    (
        "builtins.str", "builtins.list", "builtins.tuple", "builtins.set", "builtins.dict", "builtins.sorted",
        "os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "copy.deepcopy", "copy.copy",
        "os.path.expanduser", "typing.cast", "django.utils.translation.gettext_lazy",
    )
)  # fmt: skip
"""Functions that return what they were given, as far as it matters here."""
_READERS = ("environ.Env", "environ.FileAwareEnv", "environs.Env", "decouple.config", "decouple.AutoConfig")
_KINDS = frozenset(
    (
        "str",
        "bool",
        "int",
        "float",
        "list",
        "tuple",
        "dict",
        "json",
        "path",
        "url",
        "unicode",
        "bytes",
        "enum",
        "log_level",
    )
)
_DATABASES = frozenset(("db", "db_url", "dj_db_url"))


def call_known(  # noqa: PLR0911  one line for each family of functions
    name: str, arguments: Arguments, words: Words, around: Surroundings
) -> object:
    """Return what the function `name` (its import path) returns; UNKNOWN_VALUE when that is not known here."""
    if name in _SAME:
        value = arguments[-1] if name == "typing.cast" and arguments else arguments[0] if arguments else UNKNOWN_VALUE
        empty: dict[str, object] = {
            "builtins.list": [],
            "builtins.tuple": (),
            "builtins.set": [],
            "builtins.dict": words,
        }
        return empty.get(name, "") if not arguments else value
    if name in ("os.environ.get", "os.getenv", "os.environ.pop", "os.environ.setdefault"):
        return _environment(arguments, words, around.environ)
    if name == "dj_database_url.config":
        return _database(words.get("env", "DATABASE_URL"), words.get("default"), around)
    if name == "dj_database_url.parse":
        return database_from(arguments[0] if arguments else None)
    if name in _READERS or name.startswith(_READERS):
        return _reader(name, arguments, words, around)
    if name.startswith("configurations.values."):
        return _configuration(name, arguments, words)
    return _plain(name, arguments)


def _plain(name: str, arguments: Arguments) -> object:  # noqa: PLR0911  a table of functions
    first = arguments[0] if arguments else UNKNOWN_VALUE
    match name:
        case "builtins.bool" | "builtins.int" | "builtins.float":
            kinds = {"bool": bool, "int": int, "float": float}
            is_plain = isinstance(first, (str, int, float, bool, type(None)))
            return kinds[name[9:]](first) if is_plain and len(str(first)) < MAX_DIGITS else UNKNOWN_VALUE
        case "pathlib.Path" | "pathlib.PurePath":
            return _path(arguments)
        case "os.path.join":
            return _path(arguments)
        case "os.path.dirname":
            return _path([first]).parent if isinstance(first, (str, PurePosixPath)) else UNKNOWN_VALUE  # type: ignore[attr-defined]
        case "os.path.exists" | "os.path.isfile" | "os.path.isdir":
            return UNKNOWN_VALUE
        case "builtins.len":
            return len(first) if isinstance(first, (str, list, tuple, dict)) else UNKNOWN_VALUE
        case _:
            return UNKNOWN_VALUE if not name.endswith(".Env") else Ref(name)


def _path(arguments: Arguments) -> object:
    parts = [str(part) for part in arguments if isinstance(part, (str, PurePosixPath))]
    is_known = parts and len(parts) == len(arguments) and sum(map(len, parts)) <= MAX_CHARS
    return PurePosixPath(*parts) if is_known else UNKNOWN_VALUE


def _environment(arguments: Arguments, words: Words, environ: Mapping[str, object]) -> object:
    name = arguments[0] if arguments else words.get("key", UNKNOWN_VALUE)
    default = arguments[1] if len(arguments) > 1 else words.get("default")
    return environ.get(name, default) if isinstance(name, str) else UNKNOWN_VALUE


def _reader(  # noqa: PLR0911  one line for each way to a value
    name: str, arguments: Arguments, words: Words, around: Surroundings
) -> object:
    kind = name.rpartition(".")[2]
    if kind in ("Env", "FileAwareEnv", "AutoConfig"):
        pairs = {key: value for key, value in words.items() if isinstance(value, tuple) and len(value) == 2}  # noqa: PLR2004
        around.scheme.update({key: value[1] for key, value in pairs.items()})
        return Ref(f"{name}.instance")
    variable = arguments[0] if arguments else words.get("var")
    if isinstance(variable, str) and variable in around.scheme and len(arguments) == 1:
        words = {"default": around.scheme[variable], **words}
    has_default = len(arguments) > 1 or "default" in words
    default = words.get("default", arguments[1] if len(arguments) > 1 else UNKNOWN_VALUE)
    if kind in _DATABASES:
        return _database(variable or "DATABASE_URL", default if has_default else None, around)
    given = around.environ.get(variable) if isinstance(variable, str) else None
    if given is None:
        return default if has_default else UNKNOWN_VALUE
    if not isinstance(given, str):
        return UNKNOWN_VALUE
    if kind == "bool" or words.get("cast") == Ref("bool") or isinstance(default, bool):
        return given.strip().lower() in ("1", "true", "yes", "on", "y", "t", "ok")
    if kind in _KINDS - {"str"}:
        return UNKNOWN_VALUE
    return given


def _configuration(name: str, arguments: Arguments, words: Words) -> object:
    default = words.get("default", arguments[0] if arguments else None)
    if name.endswith("DatabaseURLValue"):
        return database_from(default) if default else None
    return default


def _database(variable: object, default: object, around: Surroundings) -> object:
    given = around.environ.get(variable) if isinstance(variable, str) else None
    return database_from(given or default)


def database_from(url: object) -> object:
    """Return the DATABASES entry for a URL, as dj-database-url makes it; its engine unknown for an unknown URL."""
    if isinstance(url, dict):
        return url
    if isinstance(url, Either):
        return either(*(database_from(one) for one in url.values))
    engine = engine_of_url(url) if isinstance(url, str) else ""
    return {"ENGINE": engine or UNKNOWN_VALUE}


def call_method(place: object, name: str, arguments: Arguments, words: Words) -> object:
    """Return what the method `name` of `place` returns. Lists and dicts are changed in place, as Python does it."""
    match place:
        case Either():
            return either(*(call_method(one, name, arguments, words) for one in place.values))
        case str():
            return _text_method(place, name, arguments)
        case list():
            return _list_method(place, name, arguments)
        case dict():
            return _dict_method(place, name, arguments, words)
        case PurePosixPath():
            return _path_method(place, name, arguments)
        case _:
            return UNKNOWN_VALUE


_TEXT = frozenset(
    ("strip", "lstrip", "rstrip", "lower", "upper", "title", "split", "rsplit", "startswith", "endswith", "replace",
     "removesuffix", "removeprefix", "splitlines", "partition", "rpartition", "isdigit", "casefold")
)  # fmt: skip


def _text_method(place: str, name: str, arguments: Arguments) -> object:
    if name == "join" and arguments and isinstance(arguments[0], (list, tuple)):
        parts = arguments[0]
        return place.join(parts)[:MAX_CHARS] if all(isinstance(part, str) for part in parts) else UNKNOWN_VALUE
    if name not in _TEXT or not all(isinstance(one, (str, int, tuple, type(None))) for one in arguments):
        return UNKNOWN_VALUE
    if len(place) > MAX_CHARS or any(isinstance(one, str) and len(one) > MAX_CHARS for one in arguments):
        return UNKNOWN_VALUE
    found: object = getattr(place, name)(*arguments)
    return found


def _list_method(place: list[object], name: str, arguments: Arguments) -> object:
    if len(place) > MAX_CHARS:
        return None
    match name, arguments:
        case "append", [item]:
            place.append(item)
        case "extend", [list() | tuple() as more]:
            place.extend(more)
        case "insert", [_, item]:
            place.insert(0, item)
        case "remove", [str() as item] if _position(place, item) >= 0:
            del place[_position(place, item)]
        case "index", [str() as item] if _position(place, item) >= 0:
            return _position(place, item)
        case "copy", []:
            return list(place)
        case _:
            pass
    return None


def _position(place: list[object], item: str) -> int:
    """Return where a text stands in a list, -1 if nowhere. Only texts are compared: lists in lists may have no end."""
    return next((number for number, one in enumerate(place) if isinstance(one, str) and one == item), -1)


def _dict_method(  # noqa: PLR0911  a table of methods
    place: dict[object, object], name: str, arguments: Arguments, words: Words
) -> object:
    first = arguments[0] if arguments else None
    match name:
        case "get":
            other = arguments[1] if len(arguments) > 1 else None
            return UNKNOWN_VALUE if isinstance(first, Unknown) else place.get(first, other)
        case "update":
            place.update(first if isinstance(first, dict) else {})
            place.update(words)
            return None
        case "setdefault" if isinstance(first, str):
            return place.setdefault(first, arguments[1] if len(arguments) > 1 else None)
        case "keys":
            return list(place)
        case "values":
            return list(place.values())
        case "items":
            return list(place.items())
        case "copy":
            return dict(place)
        case "pop" if isinstance(first, str):
            return place.pop(first, UNKNOWN_VALUE)
        case _:
            return UNKNOWN_VALUE


def _path_method(place: PurePosixPath, name: str, arguments: Arguments) -> object:
    if name in ("resolve", "absolute", "expanduser"):
        return place
    if name == "joinpath":
        return _path([place, *arguments])
    if name in ("as_posix", "__str__"):
        return str(place)
    return UNKNOWN_VALUE
