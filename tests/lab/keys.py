"""Keys and certificates: made once, kept outside the containers, so that a server made anew is the same server."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab.places import ADDRESSES, Places
from tests.lab.shell import run, write

USERS = ("root", "deploy")
_CLIENT = """\
# Servers of Shipway's test lab. Use it as `ssh -F {path} {first}` (user root; `-l deploy` for the other one).
Host {names}
  User root
  IdentityFile {key}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile {known_hosts}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
{places}"""


def server_name(number: int) -> str:
    """What servers are called: `lab1`, `lab2` and so on."""
    return f"lab{number}"


def make_operator(places: Places) -> None:
    """The key that opens every server, and the registry's certificate."""
    _keygen(places.key)
    if not places.ca.exists() or _subject_alt_name() not in _text_of(places.ca):
        _certificate(places)
    trust = places.etc_docker / "certs.d" / ADDRESSES.registry_server
    write(trust / "ca.crt", places.ca.read_text())


def given_to(places: Places, number: int) -> Path:
    """The directory that a server finds as /lab when it starts."""
    directory = places.keys / server_name(number)
    _keygen(directory / "host_key")
    write(directory / "authorized_keys", places.key.with_suffix(".pub").read_text())
    write(directory / "certs.d" / ADDRESSES.registry_server / "ca.crt", places.ca.read_text())
    # Inner networks cannot ask the outer engine's name server, which listens on a loopback address.
    servers = ", ".join(f'"{each}"' for each in _name_servers())
    write(directory / "daemon.json", f'{{"mtu": 1400, "dns": [{servers}]}}\n')
    return directory


def write_client_files(places: Places, numbers: list[int]) -> None:
    """`ssh_config` and `known_hosts` for these servers, by name and by address."""
    known, hosts = [], []
    for number in numbers:
        name, address = server_name(number), ADDRESSES.server(number)
        host_key = (places.keys / name / "host_key.pub").read_text().split()
        known.append(f"{name},{address} {host_key[0]} {host_key[1]}\n")
        hosts.append(f"Host {name}\n  HostName {address}\n")
    names = [word for number in numbers for word in (server_name(number), ADDRESSES.server(number))]
    text = _CLIENT.format(
        path=places.ssh_config,
        first=names[0] if names else "NAME",
        names=" ".join(names) or "none",
        key=places.key,
        known_hosts=places.known_hosts,
        places="".join(hosts),
    )
    write(places.known_hosts, "".join(known))
    write(places.ssh_config, text)


def _keygen(path: Path) -> None:
    if path.exists() and path.with_suffix(".pub").exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"shipway-lab {path.name}", "-f", path)
    run(words, "a key was not made")


def _certificate(places: Places) -> None:
    key = places.ca.with_suffix(".key")
    draft = places.ca.with_suffix(".new")
    words = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-keyout", key, "-out", draft)
    name = ("-subj", "/CN=Shipway lab registry", "-addext", f"subjectAltName={_subject_alt_name()}")
    run((*words, *name), "the registry's certificate was not made")
    # openssl's own text form stands beside the certificate so that its names can be compared later.
    shutil.move(draft, places.ca)


def _text_of(certificate: Path) -> str:
    words = ("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectAltName")
    text = run(words, "the registry's certificate could not be read")
    return text.replace("IP Address", "IP").replace(" ", "")


def _subject_alt_name() -> str:
    return f"DNS:registry,IP:{ADDRESSES.registry}"


def _name_servers() -> list[str]:
    lines = Path("/etc/resolv.conf").read_text().splitlines()
    found = [line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1]
    return [each for each in found if not each.startswith("127.")]
