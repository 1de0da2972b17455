"""The process that tries what the release's own code needs to work: databases, caches, mail, storage, workers."""

from __future__ import annotations

import os
from typing import Any

from shipway.django.probe.common import Answer, TooSlow, explain, limit, section
from shipway.django.probe.inside_celery import celery_workers
from shipway.django.probe.inside_database import try_databases
from shipway.django.probe.inside_queues import django_task_workers, rq_workers
from shipway.django.probe.inside_secure import telling_page
from shipway.django.probe.inside_services import keep_file, remove_file, try_caches, try_mail, try_storage
from shipway.django.probe.project import learn_settings, load_project, where_from


def look_inside(options: dict[str, Any]) -> None:
    """Answer all sections that `options["want"]` names, and leave at once: no thread or handler may keep us."""
    be_first_to_go()
    os.environ.setdefault("PGCONNECT_TIMEOUT", "5")
    answer = Answer()
    answer.learn_secrets(dict(os.environ))
    if section(answer, "where", options, lambda: come_in(answer, options)):
        for name, look in inside_sections(answer, options).items():
            if name in options["want"]:
                section(answer, name, options, look)
    answer.give("end", True)
    os._exit(0)


def be_first_to_go() -> None:
    """Where memory runs out, the kernel shall end this process and not one of the site."""
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        pass


def come_in(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Load the project, learn what is secret in it, and return what is running."""
    load_project(options["manage"])
    learn_settings(answer)
    return where_from()


def inside_sections(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Return what can be asked, by name, in the order in which it is."""

    def tried(name: str, action: Any) -> dict[str, Any]:
        return attempt(answer, options["ask_s"], name, action)

    return {
        "database": lambda: try_databases(options, tried),
        "cache": lambda: try_caches(options, tried),
        "email": lambda: try_mail(options["ask_s"], tried),
        "storage": lambda: try_storage(options["mark"], tried),
        "media": lambda: keep_file(options["mark"], tried),
        "media_gone": lambda: remove_file(options["file"], tried),
        "secure": lambda: telling_page(options["paths"]),
        "workers": lambda: workers(answer, options),
    }


def attempt(answer: Answer, seconds: float, name: str, action: Any) -> dict[str, Any]:
    """Return what `action` tells about `name` in its time, or the error that it came to."""
    facts: dict[str, Any] = {"name": name}
    try:
        with limit(seconds):
            facts.update(action() or {})
    except (Exception, TooSlow) as error:
        facts["error"] = explain(error, answer)
    return facts


def workers(answer: Answer, options: dict[str, Any]) -> dict[str, Any]:
    """Return what each framework that the project has loaded tells about its workers."""
    ways = {"celery": celery_workers, "rq": rq_workers, "tasks": django_task_workers}
    found = {}
    for name, look in ways.items():
        if name in options["frameworks"]:
            facts: dict[str, Any] = {}
            try:
                with limit(options["work_s"]):
                    is_there = look(facts, options)
            except (Exception, TooSlow) as error:
                facts["error"] = explain(error, answer)
                is_there = True
            if is_there:
                found[name] = facts
    return found
