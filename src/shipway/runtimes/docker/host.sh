# What Docker runs of a service on this host, and how it is taken off. POSIX sh, sent to `sh -s`.
#
#   probe HOME SERVICE DESTINATION REPOSITORY NETWORK    prints what is there (read by parse.py)
#   ready NETWORK MODE DIR… [MODE DIR…]                  makes directories and the network
#   is-ready NETWORK MODE DIR…                           exits 0 when they stand
#   stop SECONDS NAME                                    stops a container softly; fine when there is none
#   is-stopped NAME                                      exits 0 when no such container runs
#   remove RELEASE SERVICE DESTINATION ROOT [any]        removes a release that is stopped (`any`: or runs)
#   is-gone RELEASE SERVICE DESTINATION                  exits 0 when nothing of it is left
#   finish IMAGE LATEST SERVICE                          names the image that serves, drops unnamed ones of the service
set -u

tell_containers() {
  docker ps --all --no-trunc --filter "label=service=$1" --filter "label=destination=$2" --format "$3" 2>&1
}

# $1 RELEASE (a path) $2 SERVICE $3 DESTINATION: the ids of its containers
of_release() {
  docker ps --all --quiet --filter "label=service=$2" --filter "label=destination=$3" \
    --filter "label=release=${1##*/}" ${4:+--filter "status=$4"}
}

probe() {
  for _dir in "$1"/releases/*/; do
    _dir=${_dir%/}
    [ -d "$_dir" ] || continue
    if [ -f "$_dir/complete" ]; then
      _version='' && { read -r _version <"$_dir/complete" || :; }
      printf 'release %s %s\n' "${_dir##*/}" "$_version"
    else
      printf 'leftover %s\n' "${_dir##*/}"
    fi
  done
  [ ! -f "$1/schedule/active" ] || { read -r _line <"$1/schedule/active" && printf 'schedule %s\n' "$_line"; }
  for _tool in python3 docker; do
    if _where=$(command -v -- "$_tool"); then printf 'tool %s %s\n' "$_tool" "$_where"; fi
  done
  command -v docker >/dev/null || return 0
  if _out=$(tell_containers "$2" "$3" 'container {{.Names}} {{.Label "role"}} {{.Label "release"}}/{{.Status}}'); then
    printf '%s\n' "$_out"
    docker image ls --format 'image {{.Tag}}' "$4" 2>/dev/null
    if docker network inspect "$5" >/dev/null 2>&1 && [ -d "$1/releases" ]; then echo settled; fi
    echo answers
  else
    printf '%s\n' "$_out" | sed 's/^/trouble /'
  fi
}

ready() {
  _network=$1
  shift
  while [ $# -gt 0 ]; do
    case $1 in 0*) _mode=$1 ;; *) install -d -m "$_mode" -- "$1" || return 1 ;; esac
    shift
  done
  docker network inspect "$_network" >/dev/null 2>&1 || docker network create "$_network" >/dev/null
}

is_ready() {
  docker network inspect "$1" >/dev/null 2>&1 || return 1
  shift
  for _dir; do
    case $_dir in 0*) ;; *) [ -d "$_dir" ] || return 1 ;; esac
  done
}

exists() { docker container inspect --format '{{.Id}}' "$1" >/dev/null 2>&1; }

stop() {
  exists "$2" || { docker version >/dev/null; return; }
  docker stop -t "$1" "$2" >/dev/null || return
  if [ "$(docker container inspect --format '{{.State.ExitCode}}' "$2" 2>/dev/null)" = 137 ]; then
    echo "$2 did not end within $1 s and was killed: what it was doing is lost, or is done again"
  fi
}

is_stopped() {
  _status=$(docker container inspect --format '{{.State.Status}}' "$1" 2>/dev/null) || {
    docker version >/dev/null 2>&1
    return
  }
  case $_status in running | restarting | paused) return 1 ;; esac
}

remove() {
  _image=''
  [ ! -f "$1/image" ] || read -r _image <"$1/image" || :
  _all=$(of_release "$1" "$2" "$3") || return 1
  if [ "${5-}" != any ] && { [ -n "$(of_release "$1" "$2" "$3" running)" ] ||
    [ -n "$(of_release "$1" "$2" "$3" restarting)" ]; }; then
    echo "a container of it still runs" >&2
    return 1
  fi
  rm -f -- "$1/complete"
  # shellcheck disable=SC2086
  [ -z "$_all" ] || docker rm --force $_all >/dev/null || return 1
  rm -rf -- "$1" || return 1
  [ -n "$_image" ] || return 0
  # Another release, of any service or destination of this host, may have the same image.
  for _file in "$4"/*/releases/*/image; do
    _other=''
    [ ! -f "$_file" ] || read -r _other <"$_file" || :
    [ "$_other" != "$_image" ] || return 0
  done
  docker image rm "$_image" >/dev/null 2>&1 || : # refused where a container uses it
}

is_gone() {
  [ ! -e "$1" ] || return 1
  _left=$(of_release "$1" "$2" "$3") && [ -z "$_left" ]
}

finish() {
  docker tag "$1" "$2" || return 1
  docker image prune --force --filter "label=service=$3" >/dev/null 2>&1 || : # another prune may be at work
}

verb=$1
shift
case $verb in
  probe) probe "$@" ;;
  ready) ready "$@" ;;
  is-ready) is_ready "$@" ;;
  stop) stop "$@" ;;
  is-stopped) is_stopped "$@" ;;
  remove) remove "$@" ;;
  is-gone) is_gone "$@" ;;
  finish) finish "$@" ;;
  *) exit 2 ;;
esac
