"""The clean clone that an image is built from: what is not committed is not in it."""

from __future__ import annotations

from shipway.core.here import HERE, HereStep
from shipway.runtimes.docker.images.spec import Source

CLONE_SCRIPT = """\
dir=$1 source=$2 commit=$3
fresh() {
  rm -rf -- "$dir" && mkdir -p -- "${dir%/*}" && git clone --quiet --no-checkout -- "$source" "$dir"
}
settle() {
  git -C "$dir" remote set-url origin "$source" &&
  { git -C "$dir" cat-file -e "$commit^{commit}" 2>/dev/null || git -C "$dir" fetch --quiet --force origin HEAD; } &&
  git -C "$dir" -c advice.detachedHead=false checkout --quiet --force --detach "$commit" &&
  git -C "$dir" clean -ffdxq && submodules
}
submodules() {
  [ -f "$dir/.gitmodules" ] || return 0
  git -C "$source" config --get-regexp '^submodule\\..*\\.url$' | while read -r key url; do
    git -C "$dir" config "$key" "$url" || exit 1
  done
  git -C "$dir" -c protocol.file.allow=always submodule --quiet update --init --recursive --force &&
  git -C "$dir" submodule --quiet foreach --recursive 'git clean -ffdxq'
}
is_right() {
  [ "$(git -C "$dir" rev-parse HEAD)" = "$commit" ] && [ -z "$(git -C "$dir" status --porcelain)" ]
}
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
if [ -d "$dir/.git" ] && settle 2>/dev/null && is_right; then exit 0; fi
fresh && settle && is_right
"""
"""`sh -c CLONE_SCRIPT sh DIR SOURCE COMMIT`: a clone that is there is brought up to date, or else made anew."""

_LIMIT_S = 600.0


def clone_step(source: Source) -> HereStep:
    """Return the step that makes the clone, or brings it to the commit."""
    argv = ("sh", "-c", CLONE_SCRIPT, "sh", source.clone, source.repository, source.commit)
    title = f"take a clean clone of {source.commit[:7]}"
    return HereStep(f"{HERE}/clone", title, argv, env=(("GIT_TERMINAL_PROMPT", ("0",)),), limit_s=_LIMIT_S)
