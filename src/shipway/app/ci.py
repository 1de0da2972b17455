"""Write the workflow of a CI for a service that is configured already. What exists is kept, and shown as a diff."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from shipway import __version__
from shipway.adapters.new_files import write_files
from shipway.adapters.tree import DirectoryTree
from shipway.app.call import Choice
from shipway.app.configuration import load_config
from shipway.app.init import Proposal, compare
from shipway.core.errors import ConfigError
from shipway.django.tree import Sources
from shipway.runtimes.docker.delivery import is_delivered
from shipway.scaffold.ci import Pipeline, Provider, plan_deliveries, read_variables
from shipway.scaffold.ci import test_commands as commands_of_tests
from shipway.scaffold.ci_github import write_forgejo, write_github
from shipway.scaffold.ci_gitlab import write_gitlab
from shipway.scaffold.files import Draft
from shipway.scaffold.subject import Wishes, read_subject

_FILES: Mapping[Provider, tuple[str, Callable[[Pipeline], str]]] = {
    "github": (".github/workflows/deploy.yml", write_github),
    "gitlab": (".gitlab-ci.yml", write_gitlab),
    "forgejo": (".forgejo/workflows/deploy.yml", write_forgejo),
}


def propose_ci(choice: Choice, provider: Provider, branch: str, package: str = "") -> tuple[Path, Proposal]:
    """Return the project's directory and what would be written there. Raises ConfigError.

    `package`: what pip installs Shipway from ("": this version, from the package index).
    """
    names = _destinations(choice)
    config, directory = load_config(replace(choice, destination=choice.destination or (names or (None,))[0]))
    place = Path(directory)
    subject = read_subject(Sources(DirectoryTree(place)), Wishes(), place.name)
    variables, findings = read_variables(_secret_texts(place, config.secrets_path, names))
    is_docker = config.runtime == "docker"
    has_registry = is_docker and config.registry is not None and not is_delivered(config.registry)
    pipeline = Pipeline(
        service=config.service,
        python=subject.python[0],
        test=commands_of_tests(subject),
        deliveries=plan_deliveries(names, has_registry=has_registry),
        variables=variables,
        is_docker=is_docker,
        package=package or f"shipway=={__version__}",
        branch=branch,
    )
    path, write = _FILES[provider]
    change, file = compare(place, Draft(path, write(pipeline), "tests, then deploys"))
    return place, Proposal((change,), findings, (file,) if file else (), "", config.runtime)


def write_ci(place: Path, proposal: Proposal) -> None:
    """Write what was proposed. Raises ConfigError."""
    write_files(place, proposal.files)


def _destinations(choice: Choice) -> tuple[str, ...]:
    """Return the destinations that have a file beside the configuration, in alphabetical order."""
    if choice.destination:
        return (choice.destination,)
    files = [Path(choice.config_file)] if choice.config_file else [Path("config/deploy.yml"), Path("deploy.yml")]
    for file in files:
        if file.exists():
            found = (one.name.removeprefix(f"{file.stem}.") for one in file.parent.glob(f"{file.stem}.*{file.suffix}"))
            return tuple(sorted(name.removesuffix(file.suffix) for name in found))
    return ()


def _secret_texts(place: Path, path: str, destinations: tuple[str, ...]) -> dict[str, str]:
    """Return the secrets files that there are; they hold names, and where values come from."""
    names = [path, f"{path}-common", *(f"{path}.{name}" for name in destinations)]
    texts: dict[str, str] = {}
    for name in names:
        file = place / name
        if file.is_file():
            try:
                texts[name] = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError("config.unreadable", f"could not read `{name}`: {error}", where=name) from error
    return texts
