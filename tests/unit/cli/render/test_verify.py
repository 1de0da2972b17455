"""What came of a verification, as text and as a document."""

from __future__ import annotations

from shipway.app.verification.verify import Verification
from shipway.cli.render.plain import event_text
from shipway.cli.render.text import Paint
from shipway.cli.render.verify import render_verification, verification_document
from shipway.core.events import Event
from shipway.verification.outcome import Check, CheckOutcome, failed, passed, skipped

PAGES = [
    CheckOutcome(Check("verify.pages", "shop.example", host), passed("https://shop.example/: 200 in 20 ms"), 0.1)
    for host in ("web-1", "web-2")
]
STATIC = CheckOutcome(
    Check("verify.static", "shop.example", "web-2"),
    failed("a file does not load: x.css answered 404", "x.css answered 404", next="run collectstatic"),
    3.1,
    3,
)
COOKIE = CheckOutcome(
    Check("verify.cookies", "shop.example", "web-1", is_required=False), failed("the cookie \x1b[31mid")
)
RELEASE = CheckOutcome(Check("verify.release", "shop.example", "web-1"), skipped("there is no header X-Release"))


def answer(*outcomes: CheckOutcome) -> Verification:
    return Verification("shop", "", "r7", "2d604e6a", outcomes, 3.6)


def test_what_is_right_is_short() -> None:
    assert render_verification(answer(*PAGES, RELEASE), Paint()) == (
        "✓ pages  shop.example on web-1, web-2\n"
        "- release  shop.example on web-1: there is no header X-Release\n"
        "✓ verified: r7 (2d604e6): 2 passed, 1 skipped  (3.6 s)"
    )


def test_with_v_every_check_shows_what_it_saw() -> None:
    text = render_verification(answer(*PAGES), Paint(), is_verbose=True)
    assert text.count("https://shop.example/: 200 in 20 ms") == 2


def test_what_is_wrong_says_where_and_what_next_and_the_worst_stands_last() -> None:
    assert render_verification(answer(*PAGES, STATIC, COOKIE), Paint()).splitlines()[1:] == [
        "warning[verify.cookies]: the cookie id",
        "  where  shop.example on web-1 (0.0 s)",
        "error[verify.static]: a file does not load: x.css answered 404",
        "  where  shop.example on web-2 (3.1 s, 3 tries)",
        "  said   x.css answered 404",
        "  next   run collectstatic",
        "✗ not right: r7 (2d604e6): 2 passed, 2 failed  (3.6 s)",
    ]


def test_a_warning_alone_is_right() -> None:
    assert "✓ verified" in render_verification(answer(*PAGES, COOKIE), Paint())
    assert verification_document(answer(*PAGES, COOKIE))["ok"] is True


def test_the_document_has_every_check() -> None:
    found = verification_document(answer(STATIC))
    assert found["ok"] is False
    assert found["checks"] == [
        {
            "code": "verify.static",
            "name": "shop.example",
            "host": "web-2",
            "state": "failed",
            "required": True,
            "what": "a file does not load: x.css answered 404",
            "evidence": ["x.css answered 404"],
            "next": "run collectstatic",
            "attempts": 3,
            "duration_s": 3.1,
        }
    ]


def test_a_check_in_a_run_is_a_line() -> None:
    event = Event("check.failed", "run", 0.0, host="web-1", title="verify.http /", detail="/ answered 500")
    assert event_text(event, Paint()) == "✗ web-1: verify.http /: / answered 500"
