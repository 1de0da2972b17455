"""What a rehearsal means to a deploy."""

import pytest

from shipway.core.errors import Refused
from shipway.migrations.rehearsal import Failure, Opinion
from shipway.planning.migrate import Decided
from shipway.planning.rehearsal_gate import weigh

KEY = ("shop", "0002_x")
BEFORE, AFTER, WINDOW = Decided(before=(KEY,)), Decided(after=(KEY,)), Decided(window=(KEY,))
OLD = Failure("old", "shop.Room", "list", "no column", is_ordinary=True)
NEW = Failure("new", "shop.Room", "create", "not null", is_ordinary=True)
EDGE = Failure("old", "shop.Room", "delete", "foreign key", is_ordinary=False)
FINE = Opinion("ok", "allowed", (), (), ())
CAREFUL = Opinion("conditional", "warn", (EDGE,), ("values of shop.Room.x that were there are others now",), ())


@pytest.mark.parametrize(
    ("opinion", "decided", "code"),
    [
        (FINE, BEFORE, ""),
        (CAREFUL, BEFORE, ""),
        (Opinion("ok", "allowed", (), (), (), "shop.0002_x", "no"), BEFORE, "rehearse.plan"),
        (Opinion("ok", "allowed", (NEW,), (), ()), AFTER, "rehearse.new_code"),
        (Opinion("breaks", "refused", (OLD,), (), ()), BEFORE, "rehearse.old_code"),
        (Opinion("breaks", "refused", (OLD,), (), ()), AFTER, ""),
        (Opinion("breaks", "refused", (OLD,), (), ()), WINDOW, ""),
    ],
)
def test_what_ends_a_deploy(opinion: Opinion, decided: Decided, code: str) -> None:
    if not code:
        assert weigh(opinion, decided, ("r1", "r2"), "shipway deploy")
        return
    with pytest.raises(Refused) as caught:
        weigh(opinion, decided, ("r1", "r2"), "shipway deploy")
    assert caught.value.code == code
    assert opinion.error or caught.value.findings


def test_notes_say_what_was_seen() -> None:
    notes = weigh(CAREFUL, BEFORE, ("r1", "r2"), "shipway deploy")
    assert [("delete" in note, "others" in note) for note in notes] == [(True, False), (False, True)]
