# Builds the virtualenv of one release. POSIX sh, sent on standard input; nothing that it runs may read that.
#   sh -s -- VENV KEY KIND LOCKFILE SOURCE PYTHON CACHE RELEASES TOOLS LINK_SCRIPT
# KEY is written last, into the virtualenv: without it the virtualenv is not whole.
set -eu
umask 022
venv=$1 key=$2 kind=$3 lock=$4 source=$5 python=$6 cache=$7 releases=$8 tools=$9 link=${10}

# A release that is whole and was built from the same lock has the same packages.
twin=''
for _dir in "$releases"/*/; do
  [ -f "${_dir}complete" ] && [ "$(cat -- "${_dir}venv/.shipway-key" 2>/dev/null || :)" = "$key" ] || continue
  [ "${_dir}venv" = "$venv" ] || twin=${_dir}venv
done

rm -rf -- "$venv"
mkdir -p -- "$cache"
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

unset VIRTUAL_ENV
export UV_CACHE_DIR="$cache/uv" UV_NO_PROGRESS=1 # on the releases' file system: uv links files from it
case $uv$kind in
  uv | pylock)
    echo "$lock needs uv on this host, and there is none: \`shipway deploy\` installs it" >&2
    exit 1
    ;;
esac
make_venv </dev/null >&2
if [ "$kind" = none ]; then
  :
elif [ -n "$twin" ] && "$venv/bin/python" -I -S "$link" "$twin" "$venv" </dev/null; then
  : # no resolver and no network: the same lock gave these packages before
elif [ -n "$uv" ]; then
  install_with_uv </dev/null >&2
else
  install_with_pip </dev/null >&2
fi
printf '%s' "$key" >"$venv/.shipway-key"
