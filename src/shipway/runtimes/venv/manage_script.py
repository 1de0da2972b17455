"""Runs several commands of a project's `manage.py` in one process: Django starts once. Sent on standard input.

    python - PROGRAM MANAGE JSON < manage_script.py

PROGRAM must be on the PATH ("" for none). JSON is a list of argument lists, run in order. Ends with the traceback of
the first that fails. Python 3.9, standard library.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys


def main(program: str, manage: str, commands: list[list[str]]) -> None:
    """Run `commands`; an exception or exit of one ends all."""
    if program and not shutil.which(program):
        sys.exit(f"the virtualenv has no {program}: add it to the packages of the project, or give the role a `cmd`")
    sys.path[0] = os.path.dirname(os.path.abspath(manage))
    for words in commands:
        sys.argv = [manage, *words]
        try:
            runpy.run_path(manage, run_name="__main__")
        except SystemExit as end:  # a command that ended well may say so, too
            if end.code not in (None, 0):
                raise


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
