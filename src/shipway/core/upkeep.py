"""The scripts that keep the ledger and the lock of a host: the engine runs them, and a written script has them in it.

Constants with positional parameters; what they do to a file is the same whoever runs them.
"""

from __future__ import annotations

# The lines are collected first and written by one write(2) with O_APPEND, so that two tracks of one host never mix
# their lines. A last line without its newline is what a crash or a full disk left: the next one starts afresh.
# What is to have the time of writing gets it here: the steps of a track are sent together, long before they are done.
APPEND_SCRIPT = (
    'umask 077; now=$(date -u +%Y-%m-%dT%H:%M:%SZ) && lines=$(sed "s/\\"at\\":\\"now\\"/\\"at\\":\\"$now\\"/")'
    ' && { [ -d "${1%/*}/" ] || mkdir -p -- "${1%/*}"; } || exit 1;'
    ' if [ -s "$1" ] && [ -n "$(tail -c 1 -- "$1")" ]; then printf "\\n%s\\n" "$lines" >>"$1";'
    ' else printf "%s\\n" "$lines" >>"$1"; fi'
)
WHEN_WRITTEN = "now"
TAIL_SCRIPT = '[ -e "$1" ] || exit 0; exec tail -c "$2" -- "$1"'
TAIL_BYTES = 262_144
"""How much of a ledger is read back: some twenty deploys of a host with a dozen units."""

RENEW_S = 15.0
STALE_S = 60.0
"""Four renewals may be lost before somebody else may take the lock."""
TAKE_SCRIPT = (
    'umask 077; mkdir -p -- "$1" && cat >"$1/$2.new" || { s=$?; rm -f -- "$1/$2.new"; exit $s; };'
    ' ln -- "$1/$2.new" "$1/held" 2>/dev/null; s=$?; rm -f -- "$1/$2.new"; exit $s'
)
SHOW_SCRIPT = (
    'f=$1/held; [ -e "$f" ] || exit 0; then=$(date -r "$f" +%s) && printf "%s\\n" "$(( $(date +%s) - then ))"'
    ' && head -c 4096 -- "$f"'
)
RENEW_SCRIPT = 'grep -qF -- "\\"token\\":\\"$2\\"" "$1/held" 2>/dev/null || exit 3; exec touch -c -- "$1/held"'
RELEASE_SCRIPT = 'grep -qF -- "\\"token\\":\\"$2\\"" "$1/held" 2>/dev/null || exit 0; exec rm -f -- "$1/held"'
