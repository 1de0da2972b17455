"""The scripts that keep the ledger and the lock of a host: the engine runs them, and a written script has them in it.

Constants with positional parameters; what they do to a file is the same whoever runs them.
"""

from __future__ import annotations

# What is to have the time of writing gets it here: the steps of a track are sent together, long before they are done.
# Each line gets its number, and a hash of itself and of the hash of the line before it (`core/chain.py` checks them).
# Between reading the last line and writing the next the kernel holds a lock that no crash leaves behind. The first
# line of a chain follows the hash of all that stood there before. A last line without its newline is what a crash or a
# full disk left: the next one starts afresh, and follows the last whole one. How far the chain came is noted beside the
# ledger once the lines stand. A host without `flock` or `sha256sum` gets its lines without a chain.
APPEND_SCRIPT = r"""umask 077; export LC_ALL=C
now=$(date -u +%Y-%m-%dT%H:%M:%SZ) && lines=$(sed "s/\"at\":\"now\"/\"at\":\"$now\"/") || exit 1
[ -d "${1%/*}/" ] || mkdir -p -- "${1%/*}" || exit 1
exec 9>>"$1" || exit 1
chained=; command -v flock >/dev/null && command -v sha256sum >/dev/null && chained=yes
[ -z "$chained" ] || flock 9 || exit 1
nl="
" ask="????????????????????????????????" last=
if [ -s "$1" ]; then
  last=$(tail -n 1 -- "$1"; echo x)
  case $last in *"$nl"x) ;; *) last=; echo >&9 || exit 1 ;; esac
fi
[ "$chained" ] || { printf "%s\n" "$lines" >&9; exit; }
short() { sum=${sum%"${sum#$ask}"}; [ ${#sum} = 32 ]; }
end=",\"n\":[0-9]{1,9},\"chain\":\"[0-9a-f]{32}\"[}]\$"
case $last in
  *,\"n\":*,\"chain\":\"$ask\"\}"$nl"x) ;;
  *) last=; [ ! -s "$1" ] || last=$(grep -aE -e "$end" -- "$1" | tail -n 1) ;;
esac
if [ "$last" ]; then
  n=${last##*,\"n\":}; n=${n%%,*}; sum=${last##*,\"chain\":\"}; sum=${sum%%\"*}
else
  n=0 old=/dev/null; [ ! -s "$1" ] || old=$1
  sum=$(sha256sum <"$old") && short || exit 1
fi
out=; IFS=$nl; set -f
for line in $lines; do
  n=$((n + 1)); line=${line%\}},\"n\":$n; last=$sum
  sum=$(sha256sum <<END
$last
$line}
END
  ) && short || exit 1
  out="$out$line,\"chain\":\"$sum\"}$nl"
done
printf %s "$out" >&9 || exit 1
printf "%s %s\n" "$n" "$sum" >"$1.head" || :
"""
WHEN_WRITTEN = "now"
TAIL_SCRIPT = '[ -e "$1" ] || exit 0; exec tail -c "$2" -- "$1"'
TAIL_BYTES = 393_216
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
