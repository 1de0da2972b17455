# Builds the virtualenv of one release. POSIX sh, sent on standard input; nothing that it runs may read that.
#   sh -s -- VENV KEY KIND LOCKFILE SOURCE PYTHON CACHE PACKAGES TOOLS PACKAGES_SCRIPT
# KEY is written last, into the virtualenv: without it the virtualenv is not whole.
set -eu
umask 022
venv=$1 key=$2 kind=$3 lock=$4 source=$5 python=$6 cache=$7 packages=$8 tools=$9 script=${10}

rm -rf -- "$venv"
mkdir -p -- "$cache" "$packages"
cd -- "$source"
uv=$(command -v uv || :)
[ -n "$uv" ] || [ ! -x "$tools/bin/uv" ] || uv=$tools/bin/uv

make_venv() {
  if [ -z "$uv" ]; then
    "$python" -m venv --without-pip "$venv"
  elif [ "$kind" = uv ] && [ "$python" = python3 ]; then
    "$uv" venv --quiet "$venv" # the project says which Python
  else
    "$uv" venv --quiet --python "$python" "$venv"
  fi
}

install_with_uv() {
  case $kind in
    uv) UV_PROJECT_ENVIRONMENT="$venv" "$uv" sync --quiet --locked --no-dev --python "$venv/bin/python" ;;
    *) "$uv" pip install --quiet --python "$venv/bin/python" -r "$lock" ;;
  esac
}

install_with_pip() {
  if "$python" -m pip --python "$venv/bin/python" --version >/dev/null 2>&1; then
    set -- "$python" -m pip --python "$venv/bin/python"
  else
    "$venv/bin/python" -m ensurepip --default-pip >/dev/null
    set -- "$venv/bin/python" -m pip
  fi
  "$@" install --quiet --no-input --disable-pip-version-check --cache-dir "$cache/pip" -r "$lock"
}

install() {
  if [ -n "$uv" ]; then install_with_uv; else install_with_pip; fi
}

# share VERB: the packages of this lock stand once for all releases of the service.
share() {
  set -- "$1" "$packages" "$key" "$venv" "$lock"
  [ "$kind" != uv ] || set -- "$@" pyproject.toml uv.toml # they choose the groups that `uv sync` installs
  "$venv/bin/python" -I -S "$script" "$@"
}

unset VIRTUAL_ENV PYTHONPATH PYTHONHOME
export UV_CACHE_DIR="$cache/uv" UV_NO_PROGRESS=1 # on the releases' file system: uv links files from it
case $uv$kind in
  uv | pylock)
    echo "$lock needs uv on this host, and there is none: \`shipway deploy\` installs it" >&2
    exit 1
    ;;
esac
make_venv </dev/null >&2
if [ "$kind" != none ]; then
  status=0
  share use </dev/null || status=$?
  if [ "$status" -eq 3 ]; then
    install </dev/null >&2
    share keep </dev/null
  elif [ "$status" -ne 0 ]; then
    exit "$status"
  fi
fi
printf '%s' "$key" >"$venv/.shipway-key"
