# ── What follows is the same in every such script ────────────────────────────────────────────────────────────────────

say() { printf '%s\n' "$*" >&2; }

# refuse WORDS: ends the script before anything was changed.
refuse() {
  say "refused: $*"
  exit 4
}

# fail WORDS: ends the run. What it did is taken back (`finish`) unless it has committed.
fail() {
  why=$*
  say "failed: $why"
  exit 1
}

secret_raw() { printf %s "$1"; }

# A secret as one word of POSIX shell.
secret_shell() {
  case $1 in
    '' | *[!A-Za-z0-9@%_+=:,./-]*) ;;
    *) printf %s "$1" && return ;;
  esac
  rest=$1
  printf "'"
  while :; do
    case $rest in
      *"'"*) printf "%s'\"'\"'" "${rest%%"'"*}" && rest=${rest#*"'"} ;;
      *) break ;;
    esac
  done
  printf "%s'" "$rest"
}

# A secret as a string of JSON.
secret_json() {
  rest=$1 newline=$(printf '\nx') tab=$(printf '\t') cr=$(printf '\r')
  newline=${newline%x}
  printf '"'
  while [ -n "$rest" ]; do
    tail=${rest#?}
    letter=${rest%"$tail"}
    case $letter in
      '"' | \\) printf '\\%s' "$letter" ;;
      "$newline") printf '\\n' ;;
      "$tab") printf '\\t' ;;
      "$cr") printf '\\r' ;;
      *) printf %s "$letter" ;;
    esac
    rest=$tail
  done
  printf '"'
}

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# over COMMAND…: a client that Ctrl-C does not reach: what it does on the host ends by itself, and is taken back after that.
over() { (trap '' INT TERM HUP && exec "$@"); }

# on HOST LIMIT LINE: runs a line of shell on a host, which ends it after LIMIT seconds. Not what runs by sudo: only sudo
# could end that, and what sudo may run there is for its own file to say.
on() {
  line=$3
  case " $limited " in
    *" $1 "*) case $3 in 'sudo -n '*) ;; *) line="timeout -k 3 $2 $3" ;; esac ;;
  esac
  reach "$1" "$line"
}

# upload HOST WORDS: standard input becomes a file; WORDS are its path and mode.
upload() { on "$1" 60 "sh -c $upload_script sh $2"; }

# append HOST: standard input becomes lines of the ledger of a host, which writes the time into them.
append() { on "$1" 20 "sh -c $append_script sh $(ledger_of "$1")"; }

# store: standard input becomes the stored plan of this run. Only `shipway resume` and `shipway deploy` read it.
store() { on "$primary" 60 "sh -c $store_script sh $runs/$run.json $planned $run"; }

# mark KIND: a line about the step at hand.
mark() { printf '{"kind":"%s","run":"%s","at":"now","step":"%s"}\n' "$1" "$run" "$id" | append "$host"; }

# tell TEXT: a line about the run: TEXT is the function that prints it.
tell() {
  "$1" | sed "s/$planned/$run/; s/@who@/$who/; s/@from@/$from/; s/@outcome@/$outcome/; s/\"took_s\":0/\"took_s\":$took/" |
    append "$primary"
}

stage() { say "$*"; }

# step NUMBER: one step of the plan, unless it is true already.
step() {
  "about_$1"
  case $has in
    *check*)
      if "check_$1" >"$work/said" 2>&1; then
        say "  = $title ($host): true already"
        mark step.skipped || fail "could not write the ledger on $host"
        return 0
      fi
      ;;
  esac
  say "  + $title ($host)"
  mark step.begin || fail "could not write the ledger on $host"
  touched=yes
  case $has in *undo*) begun="$1 $begun" ;; esac
  [ "$id" != "$migrates" ] || migrated='; migrations that it ran stay'
  if ! "do_$1" >"$work/said" 2>&1; then
    tail -n 60 "$work/said" >&2
    mark step.failed || :
    fail "could not $title on $host"
  fi
  mark step.done || fail "could not write the ledger on $host"
}

# commit STAGE: nothing up to the stage of that number (from 0) is taken back any more.
commit() {
  is_written=yes
  printf '{"kind":"run.commit","run":"%s","at":"now","detail":{"stage":%s}}\n' "$run" "$1" | append "$primary" || is_written=
  phase=committed begun=
  [ "$is_written" ] || fail "could not write the ledger on $primary"
  say "── from here on nothing above is taken back ──"
}

# here NUMBER TITLE: a step on this machine, before the servers are touched.
here() {
  if "here_check_$1" >"$work/said" 2>&1; then
    say "  = $2: not needed"
    return 0
  fi
  say "  + $2"
  "here_$1" >"$work/said" 2>&1 || {
    tail -n 60 "$work/said" >&2
    say "failed: could not $2"
    exit 4
  }
}

open_work() {
  umask 077
  mkdir -- "$work" 2>/dev/null || refuse "$work is there already: is this script at work? If not, remove it"
  has_work=yes
}

# lock: takes the lock that `shipway deploy` takes, so that the two never run at once.
lock() {
  token=$(random 8)
  printf '{"who":"%s","since":"%s","from":"%s","run":"%s","token":"%s","message":"a written script","manual":false,"process":""}\n' \
    "$who" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$from" "$run" "$token" |
    on "$primary" 20 "sh -c $take_script sh $lock_path $token" || {
    say "locked: another run holds the lock on $primary, or it could not be written:"
    on "$primary" 20 "sh -c $show_script sh $lock_path" </dev/null >&2 || :
    exit 6
  }
  renew >/dev/null 2>&1 &
  renewal=$!
}

# renew: keeps the lock ours. A lock that nobody renews for a minute may be taken by somebody else.
renew() {
  trap - EXIT INT HUP
  trap 'kill "$nap" 2>/dev/null; exit 0' TERM
  while :; do
    sleep "$renew_s" &
    nap=$!
    wait "$nap"
    status=0
    on "$primary" 20 "sh -c $renew_script sh $lock_path $token" </dev/null || status=$?
    [ "$status" != 3 ] || kill -s TERM "$$"
  done
}

# settled: refuses where something happened since this script was written, or where a run was cut short.
settled() {
  lines=$(on "$primary" 20 "sh -c $tail_script sh $(ledger_of "$primary") $tail_bytes" </dev/null) ||
    refuse "the ledger on $primary could not be read"
  begins=$(printf '%s\n' "$lines" | grep -F '"kind":"run.begin"' | tail -n 1) || :
  held=$(printf '%s\n' "$lines" | grep -E '"kind":"hold(\.end)?"' | tail -n 1) || :
  case $held in *'"kind":"hold"'*) refuse "the destination is held: $held" ;; esac
  ends=$(printf '%s\n' "$lines" | grep -F '"kind":"run.end"' | tail -n 1) || :
  was=$(printf '%s\n' "$begins" | sed -n 's/.*"run":"\([^"]*\)".*/\1/p')
  case $ends in
    *'"outcome":"mixed"'* | *'"outcome":"held"'*) ended= ;;
    *) ended=$(printf '%s\n' "$ends" | sed -n 's/.*"run":"\([^"]*\)".*/\1/p') ;;
  esac
  [ "$was" = "$ended" ] || refuse "the run $was was cut short: settle it first (shipway resume$options)"
  case $begins in
    *"\"script\":\"$planned\""*)
      case $ends in *'"outcome":"done"'*) refuse "this script has done its work: $release serves, or did" ;; esac
      ;;
    *) [ "$was" = "$last_run" ] || refuse "something was changed since this script was written (run $was): write it anew" ;;
  esac
}

begin() {
  text_plan_first | store || refuse "the plan could not be stored on $primary"
  phase=open
  tell text_begin || fail "could not write the ledger on $primary"
}

# go_on: the plan is whole from here on, and a run that is cut short can be continued.
go_on() {
  text_plan | store || fail "the plan could not be stored on $primary"
  tell text_extended || fail "could not write the ledger on $primary"
}

# unwind: takes back what this run did, in reverse. What an undo that failed stands on is left alone.
unwind() {
  say "taking back: $why"
  tell text_unwinding || :
  left='' blocked=
  for number in $begun; do
    "about_$number"
    case " $blocked " in *" $host "*) left=yes && continue ;; esac
    mark step.undoing || :
    if "undo_$number" >"$work/said" 2>&1; then
      say "  - $title ($host): taken back"
      mark step.undone || :
    else
      tail -n 60 "$work/said" >&2
      say "  ! $title ($host): could not be taken back"
      mark step.undo_failed || :
      left=yes blocked="$blocked $host"
    fi
  done
  [ -z "$left" ]
}

ended() {
  outcome=$1 took=$(($(date +%s) - began))
  tell text_end
}

stopped() {
  why='it was interrupted' is_stopped=yes
  exit 130
}

# finish: every way out leads here.
finish() {
  status=$?
  trap - EXIT
  trap : INT TERM HUP # once is enough: what is under way here is the way back
  set +e
  case $phase in
    open)
      if [ -z "$touched" ]; then
        ended undone
        [ "$is_stopped" ] || status=${verdict:-10}
        say "now: nothing was changed, $serves"
      elif unwind; then
        ended undone
        status=${verdict:-10}
        say "now: everything was taken back, $serves$migrated"
      else
        ended mixed
        status=11
        say "now: not everything could be taken back; \`shipway resume$options\` tries again"
      fi
      ;;
    committed)
      ended mixed
      status=11
      say "now: $release serves and stays; the steps after the commit are not finished: ${why:-it ended}"
      say "next: \`shipway resume$options\` finishes them"
      ;;
  esac
  [ -z "$renewal" ] || kill "$renewal" 2>/dev/null
  [ -z "$token" ] || on "$primary" 20 "sh -c $release_script sh $lock_path $token" </dev/null
  [ -z "$has_work" ] || { disconnect >/dev/null 2>&1; rm -rf -- "$work"; }
  exit "$status"
}

# ready: what must be there before anything is asked of a host.
ready() {
  [ "$(command -v printf)" = printf ] || refuse "this shell has no printf of its own, and would show secrets to everybody: use dash or bash"
  for program in $programs od tr sed grep tail mkdir; do
    command -v "$program" >/dev/null || refuse "$program is not installed on this machine"
  done
  run=$(date -u +%Y%m%d-%H%M%S)-$(random 2) began=$(date +%s)
  who=$(id -un | tr -cd 'A-Za-z0-9._-') from=$(uname -n | tr -cd 'A-Za-z0-9._-')
  phase=new begun='' touched='' why='' verdict='' is_stopped='' token='' renewal='' has_work='' limited='' migrated='' outcome='done' took=0
  trap finish EXIT
  trap stopped INT TERM HUP
}

# meet: every host must answer; whether it can end a command after its limit is noted.
meet() {
  for host in "$@"; do
    said=$(on "$host" 20 'command -v timeout || echo none' </dev/null) || {
      say "unreachable: $host did not answer"
      exit 5
    }
    case $said in */timeout) limited="$limited $host" ;; esac
  done
}
