"""The constant shell scripts of accessories. Values are positional parameters."""

from __future__ import annotations

FETCH_SCRIPT = (  # $1 the image, then the command that pulls it. It may be there although its registry is away
    'i=$1; shift; "$@" || { s=$?; docker image inspect -- "$i" >/dev/null 2>&1 || exit "$s";'
    ' echo "the image that is on this host is used" >&2; }'
)
PLACE_SCRIPT = (  # $1 the path, $2 its mode or "", $3 its owner or "", $4 "" or "sudo" for what only root may do
    'if [ "$2" ]; then chmod -- "$2" "$1" 2>/dev/null || $4 chmod -- "$2" "$1" || exit 1; fi;'
    ' if [ "$3" ]; then $4 chown -- "$3" "$1"; fi'
)
DIRECTORY_SCRIPT = '[ -d "$1" ] || mkdir -p -- "$1" || exit 1; ' + PLACE_SCRIPT

RUNNING_SCRIPT = (  # $1 the container, $2 the digest that it must carry ("": any)
    "s=$(docker container inspect --format"
    ' \'{{.State.Running}} {{with index .Config.Labels "shipway.config"}}{{.}}{{end}}\' -- "$1" 2>/dev/null)'
    ' && [ "$s" = "true $2" ]'
)
IS_UP_SCRIPT = '[ "$(docker container inspect --format "{{.State.Running}}" -- "$1" 2>/dev/null)" = true ]'
IS_GONE_SCRIPT = (  # a daemon that does not answer says nothing about a container
    'docker version >/dev/null 2>&1 || exit 2; for c in "$@"; do ! docker container inspect -- "$c" >/dev/null 2>&1'
    " || exit 1; done"
)
STOPPED_SCRIPT = (
    "docker version >/dev/null 2>&1 || exit 2;"
    ' [ "$(docker container inspect --format "{{.State.Running}}" -- "$1" 2>/dev/null)" != true ]'
)
REMOVE_SCRIPT = (  # $1… containers, of which some may not be there
    'docker version >/dev/null || exit 1; for c in "$@"; do ! docker container inspect -- "$c" >/dev/null 2>&1'
    ' || docker rm --force -- "$c" >/dev/null || exit 1; done'
)
ASIDE_SCRIPT = (  # $1 the container, $2 its name while it stands aside, $3 how long it may take to stop
    'docker container inspect -- "$1" >/dev/null || exit 1;'
    ' ! docker container inspect -- "$2" >/dev/null 2>&1 || docker rm --force -- "$2" >/dev/null || exit 1;'
    ' docker stop -t "$3" -- "$1" >/dev/null && docker rename -- "$1" "$2"'
)
IS_ASIDE_SCRIPT = (
    'docker container inspect -- "$2" >/dev/null 2>&1 && ! docker container inspect -- "$1" >/dev/null 2>&1'
)
BACK_SCRIPT = (  # $1 and $2 as above, $3 whether it ran
    'if docker container inspect -- "$2" >/dev/null 2>&1; then'
    ' ! docker container inspect -- "$1" >/dev/null 2>&1 || docker rm --force -- "$1" >/dev/null || exit 1;'
    ' docker rename -- "$2" "$1" || exit 1; fi; [ "$3" != yes ] || docker start -- "$1" >/dev/null'
)
_INSIDE = (  # for each kind: a script that runs in the container, $1 the port that it was told to listen on, or ""
    " postgres) inside 'command -v pg_isready >/dev/null || exit 0; exec pg_isready -h 127.0.0.1 ${1:+-p \"$1\"}';;"
    ' redis) inside \'p=$(command -v redis-cli || command -v valkey-cli) || exit 0; a=$("$p" ${1:+-p "$1"} ping 2>&1);'
    ' case $a in *PONG*|*NOAUTH*|*NOPERM*) exit 0;; esac; printf "%s\\n" "$a"; exit 1\';;'
    " mysql) inside 'p=$(command -v mysqladmin || command -v mariadb-admin) || exit 0;"
    ' exec "$p" --protocol=tcp -h 127.0.0.1 ${1:+-P "$1"} ping\';;'
)
READY_SCRIPT = (
    # $1 the container, $2 what it is, $3 the port it was told to listen on, $4 how many seconds it has. A database that
    # is being set up listens on its socket for a while and then starts again: hence 127.0.0.1.
    "c=$1 kind=$2 port=$3 left=$4 first= up=0;"
    ' inside() { docker exec -- "$c" sh -c "$1" sh "$port" </dev/null 2>&1; };'
    " ask() { case $kind in" + _INSIDE + ' *) up=$((up+1)); [ "$up" -gt 2 ];; esac; };'
    " while :; do s=$(docker container inspect --format"
    " '{{.State.Status}}/{{with .State.Health}}{{.Status}}{{end}}/{{.RestartCount}}' -- \"$c\" 2>&1)"
    ' || { printf "%s\\n" "$s" >&2; exit 1; }; first=${first:-${s##*/}}; said=${s%/*};'
    ' case $s in running/healthy/*) exit 0;; running//*) if [ "$kind" ]; then said=$(ask) && exit 0;'
    " else ask && exit 0; fi;; exited*|dead*) left=0;; *) up=0;; esac;"
    ' [ "$((${s##*/} - first))" -lt 3 ] || left=0; left=$((left-1)); [ "$left" -gt 0 ] || break; sleep 1; done;'
    ' { docker logs --tail 20 -- "$c" 2>&1; again="started again $((${s##*/} - first)) times";'
    ' printf "%s: %s, %s\\n" "$c" "$said" "$again"; } >&2; exit 1'
)
