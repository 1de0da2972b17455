"""The way of a configuration: text, ERB, YAML, destination, sections, rules, `Config`. Reads no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shipway.config.aliases import ALIASES
from shipway.config.checks import Subject, check_all
from shipway.config.erb import render_erb
from shipway.config.erb_expression import ErbFacts
from shipway.config.keys import unknown_keys
from shipway.config.model import Config
from shipway.config.parse import parse_yaml
from shipway.config.report import Report, finding, invalid
from shipway.config.resolve import Resolver
from shipway.config.root import ROOT, SHIPWAY_KEYS, SHIPWAY_SECTION, Root
from shipway.config.tree import MapNode, Mark, Node, merge
from shipway.core.errors import Finding

MAX_FILE_CHARS = 1_000_000
"""A configuration is written by hand; a longer file is something else."""


def load_config(
    files: Mapping[str, str],
    *,
    destination: str | None = None,
    facts: ErbFacts | None = None,
    destinations: Sequence[str] = (),
) -> Config:
    """Return the configuration that `files` hold (path to text: the main file, then that of the destination).

    `facts` is what ERB may ask for; its `docker_arch` also decides what is built where. `destinations` are those that
    exist, for messages. Raises ConfigError `config.invalid` with every finding.
    """
    facts = facts or ErbFacts()
    if destination is not None:
        facts = replace(facts, environment={**facts.environment, "KAMAL_DESTINATION": destination})
    trees, findings = _trees(files, facts)
    if len(trees) < len(files):
        raise invalid(_sorted(findings, tuple(files)))
    tree = trees[0]
    for over in trees[1:]:
        tree = _as_map(merge(tree, over), tree)
    report = Report(tree, findings)
    report.root = _lift_own_keys(tree, report)
    root = ROOT.read(report.root, (), report) or Root()
    config = Resolver(root, destination, facts.docker_arch, report).config()
    check_all(Subject(root, config, facts.docker_arch, destinations), report)
    if report.errors:
        raise invalid(_sorted(report.errors, tuple(files)))
    return replace(config, warnings=report.warnings)


def read_aliases(files: Mapping[str, str], *, facts: ErbFacts) -> Mapping[str, str]:
    """Return the aliases that `files` hold, whatever else is wrong in them: that is told by the verb they lead to."""
    trees, _ = _trees(files, facts)
    if not trees:
        return {}
    tree: Node = trees[0]
    for over in trees[1:]:
        tree = merge(tree, over)
    found = tree.entries.get("aliases") if isinstance(tree, MapNode) else None
    if found is None or not isinstance(tree, MapNode):
        return {}
    return ALIASES.read(found.node, ("aliases",), Report(tree, [])) or {}


def _trees(files: Mapping[str, str], facts: ErbFacts) -> tuple[list[MapNode], list[Finding]]:
    trees: list[MapNode] = []
    findings: list[Finding] = []
    for file, text in files.items():
        if len(text) > MAX_FILE_CHARS:
            findings.append(finding("syntax", Mark(file, 1), (), f"the file has more than {MAX_FILE_CHARS} characters"))
            continue
        rendered = render_erb(text.removeprefix("\ufeff"), file, facts)
        findings.extend(rendered.findings)
        if rendered.findings:
            continue
        tree, found = parse_yaml(rendered.text, file, rendered.lines)
        findings.extend(found)
        if tree is not None:
            trees.append(tree)
    return trees, findings


def _as_map(node: Node, default: MapNode) -> MapNode:
    # The place of the whole stays that of the main file.
    return MapNode(default.mark, node.entries) if isinstance(node, MapNode) else default


def _lift_own_keys(tree: MapNode, report: Report) -> MapNode:
    """Return `tree` with the keys under `x-shipway` at the root, as if they had been written there."""
    section = tree.entries.get(SHIPWAY_SECTION)
    if section is None:
        return tree
    if not isinstance(section.node, MapNode):
        report.add("type", (SHIPWAY_SECTION,), "should be a hash", next="write `key: value` lines below it")
        return tree
    unknown = [name for name in section.node.entries if name not in SHIPWAY_KEYS]
    if unknown:
        unknown_keys(unknown, SHIPWAY_KEYS, (SHIPWAY_SECTION,), report)
    entries = dict(tree.entries)
    for name, entry in section.node.entries.items():
        if name in unknown:
            continue
        if name in entries:
            what = f"`{name}` stands at the root and under {SHIPWAY_SECTION}"
            report.add("conflict", (SHIPWAY_SECTION, name), what, next="remove one of the two")
            continue
        entries[name] = entry
    return MapNode(tree.mark, entries)


def _sorted(findings: Sequence[Finding], files: tuple[str, ...]) -> tuple[Finding, ...]:
    def place(found: Finding) -> tuple[int, int]:
        spot = next((index for index, file in enumerate(files) if found.where.startswith(f"{file}:")), len(files))
        line = found.where[len(files[spot]) + 1 :].split(" ", 1)[0] if spot < len(files) else ""
        return spot, int(line) if line.isdigit() else 0

    return tuple(sorted(findings, key=place))
