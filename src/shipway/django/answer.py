"""The answer of a probe: output in, a Report or an error that a person can act on out."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable

from shipway.core.errors import ConfigError, Refused, ShipwayError
from shipway.core.migration import Database, Size
from shipway.django.probe_source import markers
from shipway.django.report import App, Check, DatabaseReport, Fault, Json, Report
from shipway.django.schema_codec import parse_migration, parse_schema
from shipway.django.strict import Malformed, Node, T, as_pair, as_texts

_SAID_LINES = 10
LIMIT_BYTES = 64_000_000


def parse_answer(output: bytes, token: str, *, said: str = "") -> Report:
    """Return what stands between the markers of `token` in the output of a probe.

    `said` is what the program wrote to standard error, for the error when there is no answer. Raises Refused
    `probe.no_answer`, `probe.cut_short`, `probe.garbled`; ConfigError `project.settings` or `project.django` when the
    project could not be loaded.
    """
    return read_marked(output, token, whole(_report), said=said)


def whole(read: Callable[[Node], T]) -> Callable[[Node], T]:
    """Return `read`, raising before it why the worker did not come to its end."""

    def read_whole(root: Node) -> T:
        if cut := cut_short(root):
            raise cut
        return read(root)

    return read_whole


def read_marked(
    output: bytes, token: str, read: Callable[[Node], T], *, said: str = "", about: str = "its database"
) -> T:
    """Return what `read` makes of the document between the markers of `token`, from a project that was loaded.

    `about` is what was asked. Raises Refused `probe.no_answer`, `probe.garbled` (whatever `read` calls malformed), and
    ConfigError `project.settings` or `project.django`.
    """
    begin, end = (f"\n{mark}\n".encode() for mark in markers(token))
    _, found, rest = output.partition(begin)
    body, ended, _ = rest.partition(end)
    if not found or not ended:
        raise Refused(
            "probe.no_answer",
            f"the project's Python ended without an answer about {about}",
            said=_tail(said),
            next="python -V && python -c 'import django'  (in the environment of the release)",
        )
    try:
        root = Node(json.loads(_unpacked(body)), "answer")
        if "where.error" in root:
            raise _not_loaded(parse_fault(root.raw("where.error"), "where.error"))
        return read(root)
    except (Malformed, ValueError, RecursionError) as error:
        raise Refused("probe.garbled", f"the project's answer about {about} makes no sense", said=str(error)) from error


def _unpacked(body: bytes) -> bytes:
    """Return the JSON text of an answer that may be packed. Raises Malformed."""
    if body.startswith(b"{"):
        return body
    try:
        packed = zlib.decompressobj()
        text = packed.decompress(base64.b64decode(body, validate=True), LIMIT_BYTES)
    except (ValueError, zlib.error) as error:
        raise Malformed(f"the answer cannot be unpacked: {error}") from error
    if packed.unconsumed_tail:
        raise Malformed("the answer is longer than it may be")
    return text


def cut_short(root: Node, about: str = "its database") -> Refused | None:
    """Return why the worker did not come to its end, None where it did."""
    ending = root.node("end")
    if ending.flag("whole"):
        return None
    why = {
        "too slow": "took too long",
        "too big": "answered more than it may",
    }.get(ending.text("why"), f"ended in the middle (status {ending.number('status')})")
    return Refused(
        "probe.cut_short",
        f"asking the project about {about} {why}",
        where=f"while looking at: {root.text('at', 'where')}",
        said=_tail(ending.text("said")),
        next="python manage.py check  (in the environment of the release)",
    )


def _not_loaded(fault: Fault) -> ShipwayError:
    where = f"{fault.file}:{fault.line}" if fault.file else ""
    if fault.type in ("ModuleNotFoundError", "ImportError") and "'django'" in fault.message:
        return ConfigError(
            "project.django",
            "there is no Django in the Python that was asked",
            where=where,
            next="activate the project's virtualenv, or name its Python with --python",
        )
    what = "the project's settings could not be loaded"
    help_line = "python manage.py check"
    if fault.variable:
        what = f"the project's settings need the environment variable `{fault.variable}`, which is not set"
        help_line = f"export {fault.variable}=…  (or add it to env: in deploy.yml)"
    error = ConfigError("project.settings", what, where=where, next=help_line)
    error.said = "\n".join(fault.lines)
    return error


def parse_fault(value: object, path: str) -> Fault:
    """Return an error of the project. Raises Malformed."""
    node = Node(value, path)
    return Fault(
        type=node.text("type"),
        message=node.text("message"),
        lines=node.texts("lines"),
        file=node.text("file"),
        line=node.number("line"),
        variable=node.text("variable"),
    )


def _report(root: Node) -> Report:
    where = root.node("where")
    django = tuple(where.each("django_version", lambda part, _: part if isinstance(part, int) else 0))
    version = (django[0], django[1]) if len(django) == 2 else (0, 0)  # noqa: PLR2004  major and minor
    databases = {
        alias: _database(alias, Node(value, f"databases.{alias}"), version) for alias, value in root.items("databases")
    }
    return Report(
        python=where.text("python"),
        django=where.text("django"),
        settings_module=where.text("settings"),
        settings=_json(root.node("settings")),
        apps=root.each("apps", _app),
        databases=databases,
        tasks=_json(root.node("tasks")),
        queued=_json(root.node("queued")),
        packages=root.mapping("packages"),
        checks=root.each("checks", _check),
        caches=root.mapping("caches"),
        storage=_json(root.node("storage")),
        files=_json(root.node("files")),
        faults=_faults(root),
    )


def _faults(root: Node) -> dict[str, Fault]:
    names = ("settings", "apps", "databases", "tasks", "queued", "packages", "checks", "caches", "storage", "files")
    return {n: parse_fault(root.raw(f"{n}.error"), f"{n}.error") for n in names if f"{n}.error" in root}


def _json(node: Node) -> dict[str, Json]:
    # What `json.loads` made is Json already.
    return {str(key): value for key, value in node.entries()}


def _app(value: object, path: str) -> App:
    node = Node(value, path)
    return App(node.text("label"), node.text("module"), node.text("package"))


def _check(value: object, path: str) -> Check:
    node = Node(value, path)
    level = node.text("level", "0")
    return Check(
        node.text("id"), int(level) if level.isdigit() else 0, node.text("what"), node.text("hint"), node.text("where")
    )


def _database(alias: str, node: Node, django: tuple[int, int]) -> DatabaseReport:
    fault = parse_fault(node.raw("error"), f"{node.path}.error") if "error" in node else None
    problems = node.each("problems", as_texts)
    database = Database(
        alias=alias,
        vendor=node.text("vendor"),
        version=node.text("version"),
        django=django,
        char_bytes=node.number("char_bytes", 4),
        walk=node.each("walk", parse_migration),
        footprint=parse_schema(node, "footprint"),
        applied=frozenset(node.each("applied", as_pair)) if "applied" in node else None,
        live=parse_schema(node, "live") if "live" in node else None,
        sizes={table: _size(value, f"{node.path}.sizes.{table}") for table, value in node.items("sizes")},
        problems=tuple(": ".join(words) for words in problems),
        error=f"{fault.type}: {fault.message}" if fault else "",
    )
    return DatabaseReport(
        database=database,
        fault=fault,
        disk=frozenset(node.each("disk", as_pair)),
        leaves=node.each("leaves", as_pair),
        problems=problems,
        invalid_indexes=node.each("invalid_indexes", as_pair),
    )


def _size(value: object, path: str) -> Size:
    node = Node({"size": value}, path)
    parts = node.each("size", lambda part, where: Node({"n": part}, where).number("n"))
    if len(parts) != 2:  # noqa: PLR2004  rows and bytes
        raise Malformed(f"{path} is no size")
    return Size(parts[0], parts[1])


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_SAID_LINES:])
