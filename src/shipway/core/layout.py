"""Where everything of a service stands on a host (DESIGN.md 6). The only place that knows these paths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one service on one host. `root` is the state directory of the whole host (`/var/lib/shipway`).

    <root>/<service>/ledger.jsonl[.head]  lock/  runs/<run>.json
                     releases/<release>/{src/,venv/,env/<role>.env,complete,manifest.json,schedule.json}
                     backups/<run>-before-<release>.backup
                     schedule/{run.py,schedule.py,active,active.json,lock/,log/<job>.log,state/<job>.json}
                     accessories/{<name>.env,launch.py}  packages/<digest>/  shared/  run/  log/
    <root>/proxy/    sites/  live/<service>/<role>  maintenance/<service>  errors/<service>/  tls/  log/
    <root>/public/<service>/{static,media}/  files that the proxy serves itself
    <root>/keeper/   what keeps processes for every service of this host, where there is no systemd
    <root>/cache/    downloaded packages, shared by all services
    <root>/bootstrap/  what was changed on the host itself, so that it can be taken back
    <root>/tools/    programs that Shipway installed for itself (supervisor, Caddy), a virtualenv
    """

    root: str
    service: str

    def _path(self, *parts: str) -> str:
        return str(PurePosixPath(self.root, *parts))

    @property
    def home(self) -> str:
        """Everything of this service."""
        return self._path(self.service)

    @property
    def ledger(self) -> str:
        """The ledger of this service on this host."""
        return self._path(self.service, "ledger.jsonl")

    @property
    def ledger_head(self) -> str:
        """How far the chain of the ledger came; written beside the ledger by what appends to it."""
        return self._path(self.service, "ledger.jsonl.head")

    @property
    def recorded_state(self) -> str:
        """What stood on this host after the last run: hashes of files, containers, packages. `drift` compares."""
        return self._path(self.service, "state.tsv")

    @property
    def lock(self) -> str:
        """The directory of the lock (its content matters on the primary host only)."""
        return self._path(self.service, "lock")

    def run_plan(self, run: str) -> str:
        """The stored plan of a run."""
        return self._path(self.service, "runs", f"{run}.json")

    @property
    def releases(self) -> str:
        """The directory that holds one directory per release."""
        return self._path(self.service, "releases")

    def release(self, release: str) -> str:
        """The directory of one release."""
        return self._path(self.service, "releases", release)

    def source(self, release: str) -> str:
        """The project's files of one release."""
        return self._path(self.service, "releases", release, "src")

    def venv(self, release: str) -> str:
        """The virtualenv of one release."""
        return self._path(self.service, "releases", release, "venv")

    def env(self, release: str, role: str) -> str:
        """The environment file of one role of one release, mode 0600."""
        return self._path(self.service, "releases", release, "env", f"{role}.env")

    def complete(self, release: str) -> str:
        """A file that stands when the release is whole on disk and may be started."""
        return self._path(self.service, "releases", release, "complete")

    def manifest(self, release: str) -> str:
        """What one release recorded about itself: its migrations, the columns that its code names, tasks, packages."""
        return self._path(self.service, "releases", release, "manifest.json")

    def schedule_of(self, release: str) -> str:
        """The jobs of one release on this host, mode 0600."""
        return self._path(self.service, "releases", release, "schedule.json")

    @property
    def backups(self) -> str:
        """Backups of the database, made before risky migrations; mode 0700, the files 0600."""
        return self._path(self.service, "backups")

    @property
    def schedule_runner(self) -> str:
        """The script that timers, or cron, call for each job."""
        return self._path(self.service, "schedule", "run.py")

    @property
    def schedule_script(self) -> str:
        """The script that puts a schedule in force, and takes it away."""
        return self._path(self.service, "schedule", "schedule.py")

    def accessory_env(self, name: str) -> str:
        """The environment file of an accessory, mode 0600."""
        return self._path(self.service, "accessories", f"{name}.env")

    @property
    def accessory_launcher(self) -> str:
        """The script that makes the containers of accessories."""
        return self._path(self.service, "accessories", "launch.py")

    @property
    def packages(self) -> str:
        """Installed packages, one directory for each lock and Python; the virtualenvs of releases link to them."""
        return self._path(self.service, "packages")

    @property
    def shared(self) -> str:
        """What outlives releases besides static and media files: an SQLite file, for instance."""
        return self._path(self.service, "shared")

    @property
    def public(self) -> str:
        """Static and uploaded files of all services: the only part beside `proxy` that a proxy in a container sees."""
        return self._path("public")

    @property
    def static(self) -> str:
        """Collected static files of all kept releases, side by side."""
        return self._path("public", self.service, "static")

    @property
    def media(self) -> str:
        """Uploaded files."""
        return self._path("public", self.service, "media")

    @property
    def log(self) -> str:
        """Log files of the units, where the runtime has no log store of its own."""
        return self._path(self.service, "log")

    def socket(self, unit_role: str, release: str) -> str:
        """The unix socket of a web unit. Kept short: a socket path may have 107 bytes at most (unix(7))."""
        return self._path(self.service, "run", f"{unit_role}-{release}.sock")

    @property
    def run_dir(self) -> str:
        """Sockets and process ids."""
        return self._path(self.service, "run")

    @property
    def proxy(self) -> str:
        """What the proxy of this host may read."""
        return self._path("proxy")

    @property
    def nginx(self) -> str:
        """What nginx reads of ours, where it is the proxy, and what each service wants of it."""
        return self._path("proxy", "nginx")

    @property
    def acme(self) -> str:
        """Answers to the questions of a certificate authority, where somebody else (certbot) asks for certificates."""
        return self._path("proxy", "acme")

    def live(self, role: str) -> str:
        """What leads to the release that serves `role`: a file with its address, or a link to its socket (nginx).

        A switch is a rename onto it.
        """
        return self._path("proxy", "live", self.service, role)

    @property
    def maintenance(self) -> str:
        """The file whose presence means maintenance."""
        return self._path("proxy", "maintenance", self.service)

    @property
    def errors(self) -> str:
        """Error pages of this service."""
        return self._path("proxy", "errors", self.service)

    def certificate(self, role: str) -> str:
        """The directory with the certificate of one's own of a role: `cert.pem`, and `key.pem` with mode 0600."""
        return self._path("proxy", "tls", "own", self.service, role)

    @property
    def bootstrap(self) -> str:
        """What `server bootstrap` changed on the host itself: packages, a group, services."""
        return self._path("bootstrap")

    @property
    def keeper(self) -> str:
        """The process keeper of this host (supervisor), shared by all services."""
        return self._path("keeper")

    @property
    def cache(self) -> str:
        """Downloaded and unpacked packages, shared by all services; on the file system of the releases."""
        return self._path("cache")

    @property
    def tools(self) -> str:
        """A virtualenv with the programs that Shipway installed for itself on this host."""
        return self._path("tools")
