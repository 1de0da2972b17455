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
