import io

import pytest

from shipway.app.answers import HostStatus, Status
from shipway.cli.render.answers import render_status
from shipway.cli.render.text import paint_for


@pytest.mark.parametrize(
    ("has_proxy", "is_up", "told"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_proxy_is_missed_only_where_there_should_be_one(*, has_proxy: bool, is_up: bool, told: bool) -> None:
    host = HostStatus("web-1", is_keeper_up=True, has_proxy=has_proxy, is_proxy_up=is_up)
    text = render_status(Status("shop", "", "r1", "", (host,)), paint_for(io.StringIO()))
    assert ("proxy down" in text) is told


def test_a_host_without_releases_is_told_as_new_not_as_broken() -> None:
    bare, broken = HostStatus("web-1", has_proxy=True), HostStatus("web-2", has_proxy=True, kept=("r1",))
    _, told = render_status(Status("shop", "", "", "", (bare, broken)), paint_for(io.StringIO())).split("\n\n")
    _, first, second = told.splitlines()
    assert ("nothing was deployed" in first, "down" in first) == (True, False)
    assert "process keeper down, proxy down" in second
