"""`output`: where the progress of a command is sent or kept."""

from __future__ import annotations

from dataclasses import dataclass

from shipway.config.keys import Section, key
from shipway.config.kinds import Text
from shipway.config.report import Report
from shipway.config.tree import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OtelOutput:
    """Logs sent to an OpenTelemetry collector."""

    endpoint: str | None = key(Text(), "The collector's address for OTLP over HTTP.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutput:
    """A file on the operator's machine for each command."""

    path: str | None = key(Text(), "The directory that gets a file per command.")


def _check_otel(otel: OtelOutput, path: Path, report: Report) -> None:
    if not otel.endpoint:
        report.add("required", path, "OTel endpoint is required", next="add `endpoint: http://collector:4318`")


def _check_file(file: FileOutput, path: Path, report: Report) -> None:
    if not file.path:
        report.add("required", path, "file path is required", next="add `path: log/deploys`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where the progress of a command is sent or kept, besides the terminal."""

    otel: OtelOutput | None = key(Section(OtelOutput, check=_check_otel), "Logs sent to an OpenTelemetry collector.")
    file: FileOutput | None = key(Section(FileOutput, check=_check_file), "A file for each command.")
