#!/bin/sh
# Starts the processes of a release in its own environment, and knows which of them live. POSIX sh.
#
#   launch keep UNITFILE [journal]  what a keeper runs: becomes the unit's program, or watches one that lives already
#   launch exec ENVFILE DIR WORD… runs WORD… in the environment of ENVFILE, in DIR
#   launch alive PIDFILE          prints the process id of the last start; exits 0 while the unit lives
#   launch stopped PIDFILE FILE…  exits 0 when the unit does not live and no FILE stands
#   launch probe HOME TOOLS       prints what of a service is there (read by parse.py)
#   launch rotate ROOT            cuts log files that have grown, for ever
#   launch link HERE THERE …      makes each HERE in a project a link to THERE, which outlives releases
#   launch remove RELEASE STATIC PACKAGES PYTHON LOGS PIDFILE…   removes a release of which no unit lives
#
# A value of the environment is never an argument: the files are read here. The keeper's own environment is left behind.
set -u

max_log_bytes=10485760
plain_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# born PID: when the process began, so that a reused id is not taken for it; nothing for one that is gone or a zombie.
born() {
  if [ -r /proc/self/stat ]; then
    _stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    set -f; set -- ${_stat##*\) }; set +f # from the third field of proc(5) on: the name may hold spaces
    [ "$1" = Z ] || printf '%s\n' "${20}"
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -d ' '
  fi
}

# alive PIDFILE: sets `pid` and `since`.
alive() {
  pid='' since='' now=''
  [ -r "$1" ] && { read -r pid && read -r since; } <"$1" || return 1
  case $pid in '' | *[!0-9]*) return 1 ;; esac
  now=$(born "$pid")
  [ -n "$now" ] && [ "$now" = "$since" ]
}

# adopt: a keeper that was killed left our unit running. Stand in for it: pass signals on, end when it ends.
adopt() {
  asked='' ticks=0
  for _name in HUP INT QUIT TERM USR1 USR2; do
    trap "kill -s $_name $pid 2>/dev/null; [ $_name != \"\$_shipway_signal\" ] || asked=1" "$_name"
  done
  while [ "$(born "$pid")" = "$since" ]; do
    kill -0 "$PPID" 2>/dev/null || exit 0 # our own keeper is gone: the next one begins anew
    if [ -n "$asked" ]; then
      ticks=$((ticks + 1))
      [ "$ticks" -le "$((_shipway_stop_s * 5))" ] || kill -s KILL -- "-$pid" 2>/dev/null
      sleep 0.2 & wait $!
    else
      sleep 1 & wait $!
    fi
  done
  [ -n "$asked" ]
  exit
}

cut_log() {
  [ -f "$1" ] && [ "$(wc -c <"$1")" -gt "$max_log_bytes" ] || return 0
  [ ! -f "$1.2" ] || mv -f -- "$1.2" "$1.3"
  [ ! -f "$1.1" ] || mv -f -- "$1.1" "$1.2"
  cp -p -- "$1" "$1.1" && : >"$1" # every writer appends, so it goes on at the start
}

load() {
  set -a
  . "$1"
  set +a
  cd -- "$2"
}

# A gunicorn before 20 does not tell systemd that it has started: then we do, or the unit would be killed as too slow.
tell_started() {
  [ -n "${NOTIFY_SOCKET-}" ] || return 0
  for _file in "$VIRTUAL_ENV"/lib/python*/site-packages/gunicorn/systemd.py; do
    ! grep -qs 'def sd_notify' "$_file" || return 0
  done
  systemd-notify --ready || :
}

keep() {
  . "$1"
  if alive "$_shipway_pidfile"; then adopt; fi
  if [ "${2-}" != journal ]; then # systemd holds the pipes to its journal for as long as a unit lives
    cut_log "$_shipway_log"
    # The log is opened here and not read from a pipe by the keeper: what outlives its keeper goes on writing.
    # The keeper's end of our input stays open as 8: supervisord 4.3 polls it for ever, at a whole core, once its reader
    # is gone and the number was a connection's before (poller.py leaves POLLERR alone).
    exec 8<&0 >>"$_shipway_log" 2>&1 </dev/null
  fi
  printf '%s\n' "$$" "$(born "$$")" "$_shipway_role" "$_shipway_release" >"$_shipway_pidfile.new" || exit 1
  mv -f -- "$_shipway_pidfile.new" "$_shipway_pidfile" || exit 1
  SHIPWAY_TMP=${_shipway_pidfile%/*}
  if [ -d /dev/shm ] && [ -w /dev/shm ]; then SHIPWAY_TMP=/dev/shm; fi
  load "$_shipway_env" "$_shipway_dir" || exit 1
  export SHIPWAY_TMP
  # From 25.1 on gunicorn opens one control socket per user: two releases would take it from each other.
  for _ctl in "$VIRTUAL_ENV"/lib/python*/site-packages/gunicorn/ctl; do
    [ ! -d "$_ctl" ] || export GUNICORN_CMD_ARGS="${GUNICORN_CMD_ARGS-} --no-control-socket"
  done
  [ -z "${SHIPWAY_SOCKET-}" ] || rm -f -- "$SHIPWAY_SOCKET" # of a process that was killed: uvicorn would not bind
  tell_started
  eval "exec $_shipway_cmd"
}

tool() {
  if [ -x "$1/bin/$2" ]; then
    printf 'tool %s %s\n' "$2" "$1/bin/$2"
  elif _where=$(command -v -- "$2"); then
    printf 'tool %s %s\n' "$2" "$_where"
  fi
}

probe() {
  for _dir in "$1"/releases/*/; do
    _dir=${_dir%/}
    [ -d "$_dir" ] || continue
    if [ -f "$_dir/complete" ]; then printf 'release %s\n' "${_dir##*/}"; else printf 'leftover %s\n' "${_dir##*/}"; fi
  done
  for _file in "$1"/run/*.pid; do
    if alive "$_file"; then
      { read -r _; read -r _; read -r role; read -r release; } <"$_file" && printf 'running %s %s\n' "$role" "$release"
    fi
  done
  [ ! -f "$1/schedule/active" ] || { read -r _line <"$1/schedule/active" && printf 'schedule %s\n' "$_line"; }
  for _tool in python3 uv supervisord caddy tar git; do tool "$2" "$_tool"; done
}

rotate() {
  while kill -0 "$PPID" 2>/dev/null; do
    for _log in "$1"/*/log/*.log; do
      case $_log in "$1"/proxy/*) ;; *) cut_log "$_log" ;; esac # a proxy cuts its own
    done
    sleep 30
  done
}

# link: what the project brings is copied first, and never over something that stands. A closing `/` says: directory.
link() {
  set -e
  umask 022
  while [ $# -gt 0 ]; do
    _here=${1%/} _there=${2%/}
    mkdir -p -- "$(dirname -- "$_here")" "$(dirname -- "$_there")"
    case $1 in */) mkdir -p -- "$_there" ;; esac
    if [ -d "$_here" ] && [ ! -L "$_here" ]; then
      mkdir -p -- "$_there"
      (cd -- "$_here" && find . -type d -exec sh -c 'mkdir -p -- "$0/$1"' "$_there" {} \; \
        -o -exec sh -c '[ -e "$0/$1" ] || cp -p -- "$1" "$0/$1"' "$_there" {} \;)
    elif [ -f "$_here" ] && [ ! -L "$_here" ] && [ ! -e "$_there" ]; then
      cp -p -- "$_here" "$_there"
    fi
    [ -L "$_here" ] || rm -rf -- "$_here"
    ln -sfn -- "$_there" "$_here"
    shift 2
  done
}

remove() {
  _dir=$1 _static=$2 _packages=$3 _python=$4 _logs=$5
  shift 5
  for _file; do
    alive "$_file" || continue
    echo "a unit of it still runs: ${_file##*/}" >&2
    return 1
  done
  rm -f -- "$_dir/complete"
  [ ! -x "$_dir/venv/bin/python" ] || _python=$_dir/venv/bin/python
  [ ! -f "$_dir/static.py" ] || "$_python" -I -S "$_dir/static.py" remove "$_dir" "$_static" </dev/null
  [ ! -f "$_dir/packages.py" ] || "$_python" -I -S "$_dir/packages.py" sweep "$_packages" "$_dir" </dev/null
  for _file; do
    _name=${_file##*/} _name=${_name%.pid}
    rm -f -- "$_file" "$_logs/$_name.log" "$_logs/$_name.log".[0-9]
  done
  rm -rf -- "$_dir"
}

verb=$1
shift
case $verb in
  keep | exec)
    exec env -i HOME="${HOME:-/}" USER="${USER:-}" LOGNAME="${LOGNAME:-${USER:-}}" TERM="${TERM:-dumb}" \
      LANG=C.UTF-8 PATH="$plain_path" ${NOTIFY_SOCKET+"NOTIFY_SOCKET=$NOTIFY_SOCKET"} /bin/sh "$0" "clean-$verb" "$@"
    ;;
  clean-keep) keep "$@" ;;
  clean-exec)
    load "$1" "$2" || exit 1
    shift 2
    exec "$@"
    ;;
  alive)
    alive "$1"
    status=$?
    printf '%s\n' "$pid"
    exit "$status"
    ;;
  stopped)
    if alive "$1"; then exit 1; fi
    shift
    for _file; do [ ! -e "$_file" ] || exit 1; done
    ;;
  probe) probe "$@" ;;
  rotate) rotate "$@" ;;
  link) link "$@" ;;
  remove) remove "$@" ;;
  *) exit 2 ;;
esac
