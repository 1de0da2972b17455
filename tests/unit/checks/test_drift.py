"""What differs between a recorded state and the present one."""

import pytest

from shipway.checks.drift.compare import compare, missing_migrations
from shipway.checks.drift.state import State, parse_look, parse_state

LINES = [
    "about\trelease\tr2",
    "environment\t/srv/shop/releases/r2/env/web.env\taa",
    "unit\t/srv/keeper/programs/shop-web-r2.conf\tbb",
    "source\t.\tcc",
    "package\tDjango-5.2\t",
    "crontab\tdeploy\tdd",
    "container\t/shop-web-r2\trunning sha256:1",
]
BEFORE = parse_state(LINES)


def codes(now: State) -> list[str]:
    return [finding.code for finding in compare("web-1", BEFORE, now, " -d production")]


def test_the_same_is_no_drift():
    assert codes(parse_state([*LINES, "nonsense", "other\tkind\tx", "newer\t./shop/views.py\t"])) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("\taa", "\tab", "drift.environment"),
        ("\tbb", "\tbc", "drift.unit"),
        ("\tcc", "\tcd", "drift.source"),
        ("Django-5.2", "Django-5.3", "drift.package"),
        ("\tdd", "\tde", "drift.crontab"),
        ("running sha256:1", "exited sha256:1", "drift.container"),
        ("running sha256:1", "running sha256:2", "drift.container"),
    ],
)
def test_each_kind_has_its_finding_and_its_mend(old: str, new: str, code: str):
    now = parse_state([line.replace(old, new) for line in LINES])
    found = list(compare("web-1", BEFORE, now, " -d production"))
    assert {finding.code for finding in found} == {code}
    assert all("-d production" in finding.next and finding.what.startswith("web-1: ") for finding in found)
    gone = parse_state([line for line in LINES if old not in line])
    assert codes(gone) == [code]


def test_changed_code_is_named():
    now = parse_state([line.replace("\tcc", "\tcd") for line in LINES] + ["newer\t./shop/views.py\t"])
    (found,) = compare("web-1", BEFORE, now, "")
    assert found.what == "web-1: the code of the release was changed: shop/views.py"


def test_no_finding_holds_a_hash_of_an_environment():
    secret = parse_state([line.replace("\taa", "\tfeedface") for line in LINES])
    assert not [finding for finding in compare("web-1", BEFORE, secret, "") if "feedface" in str(finding)]


def test_an_answer_has_what_was_and_what_is():
    text = "recorded\nsource\t.\ta\nnow\nsource\t.\tb\n"
    before, now = parse_look(text)
    assert before is not None
    assert (before.of("source"), now.of("source")) == ({".": "a"}, {".": "b"})
    assert parse_look("nothing\nnow\n")[0] is None
    for wrong in ("", "recorded\n", "x\nnow\n"):
        with pytest.raises(ValueError, match="no answer"):
            parse_look(wrong)


def test_migrations_that_are_missing_and_that_nobody_knows():
    on_disk = {"shop.0001": True, "shop.0002": True, "shop.0003": False}
    assert list(missing_migrations(on_disk, dict.fromkeys(("shop.0001", "shop.0002", "shop.0003"), True), "")) == []
    found = list(missing_migrations(on_disk, {"shop.0001": True, "odd.0001": True}, ""))
    assert ["shop.0002" in found[0].what, "odd.0001" in found[1].what, len(found)] == [True, True, 2]
