"""What answers from inside about databases, caches, mail and files mean."""

import pytest

from shipway.core.inside import Inside, Tried
from shipway.verification.services import judge_service

LOST = Tried("default", backend="FileSystemStorage", location="/app/media", is_lost=True, fields=("Ship.photo",))
CASES = {
    "database: good": ("database", Tried("default", vendor="postgresql", table="t", wrote=True), "passed", ""),
    "database: fault": ("database", Tried("default", "OperationalError: no"), "failed", "database `default` failed"),
    "cache: good": ("cache", Tried("default", backend="RedisCache"), "passed", ""),
    "cache: swallowed": ("cache", Tried("x", backend="R", is_same=False), "failed", "`x` did not give back"),
    "cache: keeps": ("cache", Tried("x", backend="R", is_gone=False), "failed", "kept a key that was deleted"),
    "cache: dummy": ("cache", Tried("default", skipped="keeps nothing"), "skipped", "keeps nothing"),
    "email: good": ("email", Tried("default", backend="smtp", server="mail:25"), "passed", ""),
    "email: fault": ("email", Tried("default", "ConnectionRefusedError: no"), "failed", "mail server `default` failed"),
    "storage: good": ("storage", Tried("default", backend="S3"), "passed", ""),
    "storage: other file": ("storage", Tried("default", backend="S3", is_same=False), "failed", "did not give back"),
    "storage: no volume": ("storage", LOST, "failed", "no volume is there"),
    "storage: nobody uploads": ("storage", Tried("default", is_lost=True, location="/app/media"), "passed", ""),
}


@pytest.mark.parametrize(("kind", "tried", "state", "what"), CASES.values(), ids=CASES)
def test_what_an_answer_means(kind: str, tried: Tried, state: str, what: str) -> None:
    answer = judge_service(kind, Inside(services={kind: (tried,)}))
    assert answer.state == state
    assert what in answer.what


def test_one_of_two_decides() -> None:
    inside = Inside(services={"database": (Tried("default", wrote=True), Tried("old", "OperationalError: gone"))})
    answer = judge_service("database", inside)
    assert answer.state == "failed"
    assert "`old`" in answer.what
    assert any(line.startswith("default:") for line in answer.evidence)


def test_what_was_not_answered_has_failed() -> None:
    assert judge_service("cache", Inside(faults={"cache": "ImproperlyConfigured: no"})).state == "failed"
    cut = judge_service("cache", Inside(cut="it took too long, while looking at: cache"))
    assert (cut.state, cut.what) == ("failed", "it took too long, while looking at: cache")
