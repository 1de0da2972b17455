"""All facts of a project, put together, in the order of dependence: place, processes, settings, the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipway.django.databases import find_database, find_geodjango
from shipway.django.entrypoints import find_applications, find_interface, find_server
from shipway.django.environment import read_environment
from shipway.django.fact import UNKNOWN, Fact, Inspection, Place, cleaned
from shipway.django.health import find_health
from shipway.django.layout import Layout, find_layout
from shipway.django.packages import Packages, django_version, read_packages
from shipway.django.processes import Processes, read_processes
from shipway.django.python_version import find_python
from shipway.django.queues import find_celery_app, find_queue, find_scheduler
from shipway.django.settings import Settings, read_settings
from shipway.django.settings_module import find_configuration, find_settings, with_made
from shipway.django.static import find_app, find_cache, find_channels, find_static, find_whitenoise
from shipway.django.system_libraries import find_frontend, find_system_libraries
from shipway.django.tree import Sources, Tree


def inspect_project(tree: Tree) -> Inspection:
    """Return what the files of `tree` tell of the Django project in it. Nothing of the project is imported or run."""
    return inspect_sources(Sources(tree))


def inspect_sources(sources: Sources) -> Inspection:
    """Return the same for files that others read too."""
    layout, facts = find_layout(sources)
    processes = read_processes(sources, layout.root)
    layout = with_made(layout, processes)
    packages = read_packages(sources, layout.root, processes)
    facts["settings"] = find_settings(layout, processes)
    settings, configuration = _settings(layout, processes, facts["settings"])
    if configuration.is_known:
        facts["configuration"] = configuration
    facts |= _of_entry(layout, settings, processes, packages)
    facts |= {
        "python": find_python(sources, layout.root, processes),
        "django": django_version(packages),
        "package_manager": packages.manager,
        "lock": packages.lock,
        "dependency_groups": _groups(packages),
    }
    facts |= _of_settings(layout, settings, processes, packages, facts)
    facts |= _of_files(processes)
    facts["frontend"] = find_frontend(sources, layout.root)
    variables = read_environment(layout, settings, facts["settings"])
    return Inspection({name: cleaned(fact) for name, fact in facts.items()}, variables)


def production_environment(processes: Processes) -> dict[str, str]:
    """Return the variables that the image sets."""
    found = processes.image.environment if processes.image else {}
    return {name: value for name, (value, _) in found.items() if "$" not in value}


def _settings(layout: Layout, processes: Processes, fact: Fact) -> tuple[Settings, Fact]:
    environ = production_environment(processes)
    settings = read_settings(layout, fact.text, environ)
    if not settings.classes:
        return settings, UNKNOWN
    configuration = find_configuration(layout, processes, list(settings.classes))
    return read_settings(layout, fact.text, environ, configuration.text), configuration


def _of_entry(layout: Layout, settings: Settings, processes: Processes, packages: Packages) -> dict[str, Fact]:
    facts = find_applications(layout, settings, processes)
    server, command = find_server(processes, packages)
    facts["interface"] = find_interface(facts, server, command)
    facts["server"] = server
    return facts


def _of_settings(
    layout: Layout, settings: Settings, processes: Processes, packages: Packages, known: Mapping[str, Fact]
) -> dict[str, Fact]:
    def reread(environ: Mapping[str, str]) -> Settings:
        configuration = known.get("configuration", UNKNOWN).text
        return read_settings(
            layout, known["settings"].text, {**production_environment(processes), **environ}, configuration
        )

    database = find_database(settings, packages, processes, reread)
    geodjango = find_geodjango(settings, database)
    celery = find_celery_app(layout, processes)
    queue = find_queue(settings, packages, processes, celery)
    whitenoise = find_whitenoise(settings)
    return {
        "database": database,
        "geodjango": geodjango,
        "cache": find_cache(settings),
        "queue": queue,
        "celery_app": celery if queue.text == "celery" else UNKNOWN,
        "scheduler": find_scheduler(layout, settings, processes, queue),
        "whitenoise": whitenoise,
        **find_static(settings, whitenoise),
        "health": find_health(layout, settings, processes),
        "wagtail": find_app(settings, packages, "wagtail"),
        "channels": find_channels(settings, packages, known["asgi"]),
        "system_libraries": find_system_libraries(packages, geodjango),
    }


def _groups(packages: Packages) -> Fact:
    groups = packages.requirements.groups
    return Fact(groups, "high", (Place(packages.manifest, 0),)) if groups else UNKNOWN


def _of_files(processes: Processes) -> dict[str, Fact]:
    dockerfiles = [one.path for one in processes.dockerfiles]
    image = processes.image
    chosen = (Place(image.path, 1, "builds the project for production"),) if image else ()
    procfile = Fact(processes.procfile, "high", (Place(processes.procfile, 1),)) if processes.procfile else UNKNOWN
    release = next((c for c in processes.commands if re.fullmatch(r"release|postdeploy", c.role)), None)
    return {
        "dockerfiles": Fact(dockerfiles, "high", chosen or tuple(Place(path, 1) for path in dockerfiles)),
        "procfile": procfile,
        "compose": Fact(list(processes.compose), "high", tuple(Place(path, 1) for path in processes.compose)),
        "platforms": Fact(list(processes.platforms), "high", tuple(Place(path, 1) for path in processes.platforms)),
        "release_command": Fact(release.text, "high", (release.place,)) if release else UNKNOWN,
    }
