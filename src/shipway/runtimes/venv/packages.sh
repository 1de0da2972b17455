# Builds the virtualenv of one release. POSIX sh; sent as a script with positional parameters:
#   VENV KEY KIND LOCKFILE SOURCE PYTHON CACHE RELEASES TOOLS
# Standard input is link_script.py. KEY is written last, into the virtualenv: without it the virtualenv is not whole.
set -eu
umask 022
venv=$1 key=$2 kind=$3 lock=$4 source=$5 python=$6 cache=$7 releases=$8 tools=$9

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

if [ -n "$uv" ]; then
  # uv links files from its cache where both are on one file system.
  export UV_CACHE_DIR="$cache/uv" UV_NO_PROGRESS=1 UV_PROJECT_ENVIRONMENT="$venv"
  unset VIRTUAL_ENV
  case $kind in
    uv)
      [ "$python" = python3 ] || export UV_PYTHON="$python"
      "$uv" sync --quiet --locked --no-dev </dev/null 1>&2
      ;;
    *)
      "$uv" venv --quiet --python "$python" "$venv" </dev/null 1>&2
      [ "$kind" = none ] ||
        "$uv" pip install --quiet --python "$venv/bin/python" -r "$lock" </dev/null 1>&2
      ;;
  esac
  # Python's compiled files are checked against their sources when read, so a twin's can do no harm.
  [ -z "$twin" ] || "$venv/bin/python" -I -S - compiled "$twin" "$venv" || :
else
  case $kind in
    uv | pylock)
      echo "$lock needs uv on this host, and there is none: run \`shipway setup\`" >&2
      exit 1
      ;;
  esac
  "$python" -m venv --without-pip "$venv" </dev/null 1>&2
  if [ "$kind" = none ] || { [ -n "$twin" ] && "$venv/bin/python" -I -S - all "$twin" "$venv"; }; then
    :
  elif "$python" -m pip --python "$venv/bin/python" --version >/dev/null 2>&1 </dev/null; then
    "$python" -m pip --python "$venv/bin/python" install --quiet --no-input --disable-pip-version-check \
      --cache-dir "$cache/pip" -r "$lock" </dev/null 1>&2
  else
    "$venv/bin/python" -m ensurepip --default-pip </dev/null >/dev/null
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
      --cache-dir "$cache/pip" -r "$lock" </dev/null 1>&2
  fi
fi
printf '%s' "$key" >"$venv/.shipway-key"
