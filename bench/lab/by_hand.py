"""The same release by a careful person with a shell script: nothing but what must happen."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from bench.lab.site import NAME, Site
from tests.lab.fixtures import LabHost

# $1 image, $2 tag, $3 the file that a proxy would read, $4 the folder of the environment files, $5 the site's name.
_RELEASE = r"""
set -e
image=$1 tag=$2 live=$3 env=$4
start() {
  role=$1; shift
  docker run -d --name "hand-$role-$tag" --network kamal --env-file "$env/$role" "$image" "$@"
}
docker pull -q "$image"
docker run --rm --network kamal --env-file "$env/web" "$image" python manage.py migrate --noinput
old=$(docker ps -q --filter name=hand-)
start web
until docker exec "hand-web-$tag" python -c "
import urllib.request as ask
ask.urlopen(ask.Request('http://localhost:8000/up', headers={'Host': '$5'}), timeout=5)
" 2>/dev/null; do sleep 0.5; done
printf %s "hand-web-$tag:8000" >"$live.new" && mv "$live.new" "$live"
start worker celery -A pier worker --concurrency 2
[ -z "$old" ] || docker stop $old
"""


class ByHand:
    """Releases the same commits as a second service, `hand`, behind a switch file of its own that nobody reads."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.number = 0

    def deploy(self) -> float:
        """Build, push, and release on every host; return how long it took, in seconds."""
        self.number += 1
        server = self.site.way.registry
        image = f"{server}/hand:{self.number}"
        begun = time.monotonic()
        self._run("docker", "login", "-u", self.site.lab.registry.username, "--password-stdin", server, stdin=self.site.lab.registry.password)  # fmt: skip  # noqa: E501
        self._run("docker", "build", "-q", "-t", image, ".")
        self._run("docker", "push", "-q", image)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda host: self._release(host, image), self.site.hosts))
        return time.monotonic() - begun

    def prepare(self) -> None:
        """Put the environment files and a login on every host, as they would be there from the release before."""
        for host in self.site.hosts:
            copy = (
                "mkdir -p /root/hand && for role in web worker; do"
                " docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}'"
                ' "$(docker ps -q --filter label=service=pier --filter label=role=$role | head -1)"'
                " | grep -E '^(SECRET_KEY|DATABASE_URL|REDIS_URL|ALLOWED_HOSTS)=' >/root/hand/$role; done"
            )
            host.run("sh", "-c", copy)
            words = (
                "docker",
                "login",
                "-u",
                self.site.lab.registry.username,
                "--password-stdin",
                self.site.way.registry,
            )
            host.run(*words, stdin=self.site.lab.registry.password)

    def _release(self, host: LabHost, image: str) -> None:
        ssh = ("ssh", "-F", self.site.way.ssh_config, "-l", "root", host.name, "sh", "-s", "--")
        self._run(*ssh, image, str(self.number), "/root/hand/live", "/root/hand", NAME, stdin=_RELEASE)

    def _run(self, *words: str, stdin: str = "") -> None:
        done = subprocess.run(
            words, cwd=self.site.folder, env=self.site.environment, input=stdin, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(
                f"by hand, {' '.join(words[:3])} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
