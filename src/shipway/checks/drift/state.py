"""The state of a service on a host as lines: a kind, a name and a value, with tabs between.

It is recorded on the host after each run that ended well, and read again by `shipway drift`. No line holds a secret:
of a file it has a hash, and the file with the record is private.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shipway.core.action import Command
from shipway.core.layout import Layout

# $1 root, $2 full service, $3 release, $4 run, $5 where the record stands, $6 "record", "ended" or "look", $7 service,
# $8 destination, then the names of accessories' containers here. The source is hashed by its Python files: what runs.
STATE_SCRIPT = r"""umask 077; export LC_ALL=C
root=$1 full=$2 release=$3 run=$4 place=$5 mode=$6 service=$7 destination=$8; shift 8
here=$root/$full/releases/$release tab=$(printf "\t") name=shipway-$full-
command -v sha256sum >/dev/null || { echo "there is no sha256sum" >&2; exit 3; }
sums() {
  kind=$1; shift
  for file; do [ -f "$file" ] && printf "%s\0" "$file"; done | xargs -0 -r sha256sum -- |
    sed "s|^\\\\\{0,1\}\([0-9a-f]*\)  \(.*\)|$kind$tab\2$tab\1|"
}
state() {
  printf "about\trun\t%s\nabout\trelease\t%s\n" "$run" "$release"
  sums environment "$here"/env/*
  sums unit "$here"/units/* "$here/launch" "$root/keeper/programs/$full-"*"-$release.conf" \
    "/etc/systemd/system/$name"*"-$release.service" "$HOME/.config/systemd/user/$name"*"-$release.service"
  sums proxy "$root/proxy/sites/$full.json" "$root/proxy/live/$full"/* "$root/proxy/errors/$full"/*
  sums manifest "$here/manifest.json"
  if [ -d "$here/src" ]; then
    (cd "$here/src" && find . -name "*.py" -type f -exec sha256sum {} + | sort | sha256sum) |
      sed "s|^|source$tab.$tab|;s|  -||"
    [ "$mode" = record ] || [ ! -f "$here/complete" ] ||
      (cd "$here/src" && find . -name "*.py" -type f -newer "$here/complete" | head -n 20) |
      sed "s|^|newer$tab|;s|\$|$tab|"
  fi
  for info in "$here"/venv/lib/python*/site-packages/*.dist-info; do
    [ -d "$info" ] && info=${info##*/} && printf "package\t%s\t\n" "${info%.dist-info}"
  done
  if command -v crontab >/dev/null; then
    printf "crontab\t%s\t%s\n" "$(id -un)" "$(crontab -l 2>/dev/null | sha256sum | cut -c1-64)"
  fi
  if command -v docker >/dev/null; then
    for id in $(docker ps -aq --filter "label=service=$service" --filter "label=destination=$destination" \
      --filter "label=release=$release") "$@"; do
      docker inspect --type container --format "container$tab{{.Name}}$tab{{.State.Status}} {{.Image}}" -- "$id" ||
        printf "container\t/%s\tgone\n" "$id"
    done 2>/dev/null
  fi
}
# Beside the last line of a run: only a run that ended well is recorded.
if [ "$mode" = ended ]; then
  case $(tail -n 1 -- "$root/$full/ledger.jsonl") in
    *"\"kind\":\"run.end\",\"run\":\"$run\""*"\"outcome\":\"done\""*) mode=record ;;
    *) exit 0 ;;
  esac
fi
if [ "$mode" = look ]; then
  if [ -e "$place" ]; then printf "recorded\n"; cat -- "$place"; else printf "nothing\n"; fi
  printf "now\n"; state "$@" | sort
elif [ -d "${place%/*}" ]; then
  state "$@" | sort >"$place.new" && mv -f -- "$place.new" "$place"
fi
"""
_LIMIT_S = 60.0
_LINE = re.compile(r"([a-z]+)\t([^\t]*)\t([^\t]*)")
Mode = Literal["record", "ended", "look"]
KINDS = (
    "about", "environment", "unit", "proxy", "manifest", "source", "newer", "package", "crontab", "container",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Whose state it is: of `release` on one host, after the run `run`. `containers` are those of accessories there."""

    layout: Layout
    release: str
    run: str
    service: str
    destination: str = ""
    containers: tuple[str, ...] = ()

    def command(self, mode: Mode) -> Command:
        """Return the command that records the state (`record`; `ended`: if the run just ended well), or `look`s.

        The answer to `look` is what was recorded, and what is there now.
        """
        layout = self.layout
        words = (layout.root, layout.service, self.release, self.run, layout.recorded_state, mode)
        argv = ("sh", "-c", STATE_SCRIPT, "sh", *words, self.service, self.destination, *self.containers)
        return Command(argv, limit_s=_LIMIT_S)


@dataclass(frozen=True, slots=True)
class State:
    """What stands on a host, by kind and name."""

    found: Mapping[str, Mapping[str, str]]

    def of(self, kind: str) -> Mapping[str, str]:
        """Return what there is of one kind."""
        return self.found.get(kind, {})


def parse_state(lines: Sequence[str]) -> State:
    """Return the state that `lines` tell; what is no line of it is passed over."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is not None and match[1] in KINDS:
            found.setdefault(match[1], {})[match[2]] = match[3]
    return State(found)


def parse_look(text: str) -> tuple[State | None, State]:
    """Return what was recorded on a host (None: nothing), and what is there now. Raises ValueError."""
    before, sign, now = text.partition("now\n")
    head, _, recorded = before.partition("\n")
    if not sign or head not in ("recorded", "nothing"):
        raise ValueError("it is no answer about the state of a host")
    return (parse_state(recorded.splitlines()) if head == "recorded" else None), parse_state(now.splitlines())
