"""LastPass, by `lpass`. Arguments: lpass(1), https://man.archlinux.org/man/extra/lastpass-cli/lpass.1.en."""

from __future__ import annotations

from shipway.adapters.secrets.managers.base import Manager, Wanted, failed, objects, parse_json, require_names
from shipway.adapters.secrets.programs import Programs


class LastPass:
    """Names are items; `--from` is a folder put in front."""

    title = "LastPass"
    program = "lpass"
    needs_account = True

    def fetch(self, wanted: Wanted, programs: Programs) -> dict[str, str]:
        """Return passwords by the full names of their items."""
        require_names(wanted)
        self._sign_in(wanted.account, programs)
        names = wanted.paths()
        ran = programs.run(("lpass", "show", *names, "--json"))
        what = f"Could not read {', '.join(names)} from LastPass"
        if not ran.ok:
            raise failed(what, ran)
        items = objects(parse_json(ran.stdout, what))
        values = {str(item.get("fullname")): str(item.get("password") or "") for item in items}
        if missing := [name for name in names if name not in values]:
            raise failed(f"Could not find {', '.join(missing)} in LastPass", next="lpass ls")
        return values

    def _sign_in(self, account: str, programs: Programs) -> None:
        status = programs.run(("lpass", "status", "--color=never"))
        if status.stdout.decode("utf-8", "replace").strip() == f"Logged in as {account}.":
            return
        ran = programs.run(("lpass", "login", account), errors="left")
        if not ran.ok:
            raise failed("Failed to login to LastPass", ran, next=f"lpass login {account}")


_: type[Manager] = LastPass
