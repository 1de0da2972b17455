"""What nginx cannot do is refused where it is asked for, never passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipway.config.model import Config, Role
from shipway.config.proxy import Certificate, Proxy
from shipway.config.report import Report
from shipway.config.tree import Path, node_at

# Below `proxy/`: what nginx cannot do, and what to do instead.
_IMPOSSIBLE: Mapping[str, tuple[str, str]] = {
    "tls": ("nginx makes no certificates of its own", "`ssl: {certificate_file: …, private_key_file: …}`"),
    "acme": ("nginx asks no authority for certificates", "certbot does; with its certificates write `ssl: true`"),
    "buffering/max_response_body": ("nginx has no limit for answers", "remove it"),
    "run/metrics_port": ("nginx has no metrics", "remove it"),
    "run/debug": ("nginx logs in detail where its own `error_log` says so", "remove it"),
    "run/publish": ("nginx is no container whose ports are published", "remove it, or name `bind_ips`"),
    "run/log_max_size": ("the logs of nginx are turned by logrotate", "remove it"),
    "run/image": ("nginx is no container here", "remove it"),
    "run/registry": ("nginx is no container here", "remove it"),
    "run/repository": ("nginx is no container here", "remove it"),
    "run/version": ("nginx is no container here", "remove it"),
    "run/options": ("nginx is no container here", "remove it"),
}


def check_nginx(config: Config, report: Report) -> None:
    """Report everything that is asked of nginx and that it cannot do."""
    for part in config.parts:
        proxy = part.proxy
        if proxy is None:
            continue
        _check_files(config, proxy, _place(part.name, "ssl", report), report)
        runs = (config.proxy_run(host) for host in part.hosts)
        if not any(run is not None and run.program == "nginx" for run in runs):
            continue
        place = _place(part.name, "run", report)
        if config.runtime == "docker":
            what = "nginx is for `runtime: venv`: it cannot reach containers by their names"
            report.add("conflict", (*place, "run", "program"), what, next="remove it: Caddy takes the traffic then")
        if not isinstance(part, Role):
            what = f"nginx cannot reach the container of {part.name} by its name"
            report.add("conflict", place, what, next="publish its port, and name it in a site of your own")
        for path, (what, hint) in _IMPOSSIBLE.items():
            for base in _bases(part.name):
                if node_at(report.root, (*base, *path.split("/"))) is not None:
                    report.add("conflict", (*base, *path.split("/")), f"{what} (`run/program: nginx`)", next=hint)


def _check_files(config: Config, proxy: Proxy, place: Path, report: Report) -> None:
    ssl = proxy.ssl
    if not isinstance(ssl, Certificate):
        return
    files, path = (ssl.certificate_file, ssl.private_key_file), (*place, "ssl")
    if any(files) and (ssl.certificate_pem or ssl.private_key_pem):
        report.add("conflict", path, "secrets and files are both named", next="keep the one or the other")
    both = ("certificate_file", "private_key_file")
    if any(files) and not all(node_at(report.root, (*path, name)) for name in both):
        missing = "private_key_file" if ssl.certificate_file else "certificate_file"
        report.add("required", path, f"Missing {missing} setting", next=f"name the file: `{missing}: /etc/ssl/…`")
    if any(files) and config.runtime == "docker":
        what = "a proxy in a container does not see files of the host"
        report.add("conflict", path, what, next="name secrets: `certificate_pem` and `private_key_pem`")


def _bases(name: str) -> Iterator[Path]:
    yield from (("proxy",), ("servers", name, "proxy"), ("accessories", name, "proxy"))


def _place(name: str, key: str, report: Report) -> Path:
    """Return the proxy section that has `key`, the part's own before the root's."""
    own = [base for base in _bases(name) if base != ("proxy",) and node_at(report.root, (*base, key)) is not None]
    return own[0] if own else ("proxy",)
