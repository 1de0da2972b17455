"""The cases as subjects, and what init writes for them as one text."""

import tomllib
from pathlib import Path

from shipway.django.tree import Sources, TextTree
from shipway.scaffold.files import Drafts, draft_files
from shipway.scaffold.subject import Subject, Wishes, read_subject

CASES = Path(__file__).parent / "cases"
MANAGE = """\
import os
import sys
if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
PLAIN = {
    "manage.py": MANAGE,
    "shop/__init__.py": "",
    "shop/settings.py": "DEBUG = False\n",
    "shop/wsgi.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\napplication = 1\n",
}


def subject_of(files: dict[str, str], **wishes: object) -> Subject:
    """The files over those of startproject; "(gone)" takes one away."""
    there = {path: text for path, text in {**PLAIN, **files}.items() if text != "(gone)"}
    return read_subject(Sources(TextTree(there)), Wishes(**wishes), "shop")


def drafts_of(files: dict[str, str], **wishes: object) -> Drafts:
    return draft_files(subject_of(files, **wishes))


def case_drafts(name: str) -> Drafts:
    case = tomllib.loads((CASES / f"{name}.toml").read_text())
    return drafts_of(case["files"], **case["wishes"])


def shown(drafts: Drafts) -> str:
    files = [f"===== {one.path}\n{one.text}" for one in drafts.files]
    findings = [f"{one.level}[{one.code}] {one.what} | {one.where} | {one.next}" for one in drafts.findings]
    return "".join(files) + "\n".join(["===== findings", *findings]) + "\n"
