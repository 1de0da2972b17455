from shipway.app.demo.record import Sample
from shipway.app.demo.report import HEADINGS, render_table, rows, rows_by_kind, summarize


def sample(**what):
    return Sample(**{"phase": "one", "kind": "page", "outcome": "ok", "status": 200, "release": "r1", **what})


def test_counts_and_latencies():
    samples = [sample(latency_s=n / 100) for n in range(1, 101)]
    row = summarize("one", samples)
    assert (row.count, row.failed, row.retried) == (100, 0, 0)
    assert (row.p95_s, row.slowest_s) == (0.95, 1.0)
    assert row.is_clean


def test_what_is_slow_on_purpose_or_was_never_answered_has_no_latency():
    samples = [sample(kind="slow", latency_s=2.0), sample(kind="websocket", status=0, latency_s=3.0)]
    assert summarize("one", samples).slowest_s == 0
    assert summarize("one", [sample(outcome="failed", status=0, latency_s=15.0, error="x")]).slowest_s == 0


def test_phases_stand_in_order_with_their_releases_and_a_total():
    samples = [
        sample(phase="b"),
        sample(phase="a", release="r2"),
        sample(phase="b", release="r2", outcome="failed", error="status 502"),
        sample(phase="a", release="r2", outcome="retried", error="closed"),
    ]
    table = rows(samples)
    assert [row.phase for row in table] == ["b", "a", "all"]
    assert table[0].releases == ("r1", "r2")
    assert (table[2].count, table[2].failed, table[2].retried) == (4, 1, 1)
    assert table[2].errors == (("page: status 502", 1), ("page: closed", 1))


def test_by_kind():
    assert [row.phase for row in rows_by_kind([sample(), sample(kind="post"), sample()])] == ["page", "post"]


def test_an_empty_table_is_not_clean():
    assert not rows([])[-1].is_clean


def test_the_table_is_aligned_and_tells_each_error():
    text = render_table(rows([sample(), sample(outcome="failed", error="status 502")])).splitlines()
    assert text[0].split() == " ".join(HEADINGS).split()
    assert text[0].index("answered by") == text[1].index("r1")
    assert text[-1].strip() == "1 x page: status 502"
