# Sourced by the other commands here: makes .venv with Shipway in it, and says what it does.
# Needs Python 3.11 or later and a package index; as root on Debian it installs what Debian packages give.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }
[ -t 2 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '%s\n' "$*" >&2; }

find_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  echo "Shipway needs Python 3.11 or later, and found none. On Debian 12: apt-get install python3 python3-venv" >&2
  exit 2
}

# install_debian PACKAGE...: installs Debian packages when this is root on Debian; says so and fails otherwise.
install_debian() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing: $* (on Debian or Ubuntu: sudo apt-get install $*)" >&2
    return 1
  fi
  say "Installing Debian packages: $*"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# make_environment EXTRAS GROUP: a virtualenv in .venv, made anew only when pyproject.toml changed.
make_environment() {
  local extras="$1" group="${2:-}" stamp want python
  stamp=".venv/.made-from-${group:-base}"
  want="$(cksum <pyproject.toml)"
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
  command -v git >/dev/null || install_debian git ca-certificates
  python="$(find_python)"
  if [ ! -x .venv/bin/python ]; then
    say "Making a virtualenv in .venv with $("$python" -V)"
    "$python" -m venv .venv 2>/dev/null || { rm -rf .venv; install_debian python3-venv && "$python" -m venv .venv; }
  fi
  say "Installing Shipway and what it needs (once; about a minute)"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
  .venv/bin/uv pip install --quiet --python .venv/bin/python --editable ".[$extras]" ${group:+--group "$group"}
  .venv/bin/python -m compileall -q src .venv/lib >/dev/null || true # so that the first command starts as quickly as the next
  echo "$want" >"$stamp"
}
