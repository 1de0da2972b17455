"""Each password manager against a program that answers as the real one does (managers.toml)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from shipway.adapters.secrets.managers import MANAGERS, fetch
from shipway.adapters.secrets.managers.aws_secrets_manager import BATCH
from shipway.adapters.secrets.managers.base import Wanted
from shipway.core.errors import ConfigError, Exit
from tests.unit.adapters.secrets.fake_cli import FakeClis

CASES = tomllib.loads((Path(__file__).parent / "managers.toml").read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: re.sub(r"\W+", "-", case["name"]))
def test_case(case: dict[str, Any], clis: FakeClis, tmp_path: Path) -> None:
    if "cli" in case:
        clis.add(case["cli"], case["answers"])
    wanted = Wanted(tuple(case["names"]), case.get("account", ""), case.get("source", ""))
    programs = clis.programs(tmp_path, **case.get("given", {}))
    if "error" in case:
        with pytest.raises(ConfigError) as caught:
            fetch(case["adapter"], wanted, programs)
        assert (caught.value.what, caught.value.exit_code) == (case["error"], Exit.CONFIG)
        return
    assert fetch(case["adapter"], wanted, programs) == case["values"]
    calls = clis.calls()
    assert [" ".join(call.argv[1:]) for call in calls] == case.get("calls", [])
    secrets = [*case["values"].values(), *case.get("hidden", [])]
    assert not [word for call in calls for word in call.argv if any(secret in word for secret in secrets)]
    assert not [call for call in calls if call.stdin]
    if calls:
        assert case.get("environ", {}).items() <= calls[-1].env.items()


def test_every_manager_has_a_case() -> None:
    assert {MANAGERS[case["adapter"]] for case in CASES} == set(MANAGERS.values())


@pytest.mark.parametrize("name", [name for name in MANAGERS if name != "test"])
def test_missing_cli(name: str, clis: FakeClis, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"CLI is not installed$") as caught:
        fetch(name, Wanted(("A",), "account", "a/b"), clis.programs(tmp_path))
    assert caught.value.code == "secrets.missing_cli"


@pytest.mark.parametrize("name", [name for name, manager in MANAGERS.items() if manager.needs_account])
def test_missing_account(name: str, clis: FakeClis, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No value provided for required options '--account'"):
        fetch(name, Wanted(("A",)), clis.programs(tmp_path))


def test_unknown_adapter_names_the_nearest(clis: FakeClis, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Unknown secrets adapter: 1pasword") as caught:
        fetch("1pasword", Wanted(("A",)), clis.programs(tmp_path))
    assert "`1password`" in caught.value.next


def test_1password_service_account_needs_no_sign_in(clis: FakeClis, tmp_path: Path) -> None:
    field = '{"value":"pw12","reference":"op://V/I/password"}'
    clis.add("op", {"item get I --vault V --format json --fields label=password": [{"stdout": field}]})
    programs = clis.programs(tmp_path, OP_SERVICE_ACCOUNT_TOKEN="ops_x")
    assert fetch("1password", Wanted(("V/I",), "acme"), programs) == {"V/I": "pw12"}
    assert len(clis.calls()) == 1


def test_aws_asks_for_twenty_at_once(clis: FakeClis, tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(BATCH + 1)]
    command = "secretsmanager batch-get-secret-value --secret-id-list {} --output json"
    answers = {}
    for some in (names[:BATCH], names[BATCH:]):
        values = ",".join(f'{{"Name":"{name}","SecretString":"v-{name}"}}' for name in some)
        answers[command.format(" ".join(some))] = [{"stdout": f'{{"SecretValues":[{values}]}}'}]
    clis.add("aws", answers)
    found = fetch("aws_secrets_manager", Wanted(tuple(names)), clis.programs(tmp_path))
    assert found == {name: f"v-{name}" for name in names}
