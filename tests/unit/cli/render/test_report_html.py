"""The page of a report: nothing of a host becomes markup, nothing is loaded, every element is closed."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from shipway.app.story import Note, Story, StoryStep
from shipway.cli.render.report_html import render_report_html
from shipway.cli.render.report_text import render_report_text
from shipway.cli.render.text import Paint

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\x1b[2J\x00</style>é"
VOID = {"meta", "br", "img", "link"}


def hostile() -> Story:
    step = StoryStep("a/one", HOSTILE, HOSTILE, HOSTILE, "failed", HOSTILE, HOSTILE, 1.0, 500.0, HOSTILE)
    late = replace(step, id="a/two", state="odd" + HOSTILE, from_s=1e9, took_s=0.0)
    note = Note(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    words = dict.fromkeys(
        ("run", "service", "destination", "verb", "release", "version", "base", "who", "origin"), HOSTILE
    )
    return Story(
        **words, begun=HOSTILE, ended=HOSTILE, took_s=3.0, outcome=HOSTILE, verified=HOSTILE,
        migrations={HOSTILE: HOSTILE}, stages=(HOSTILE,), steps=(step, late), notes=(note,),
    )  # fmt: skip


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""


@pytest.mark.parametrize("story", [hostile(), replace(hostile(), steps=(), notes=(), migrations=None, is_known=False)])
def test_what_a_host_says_stays_text(story: Story):
    page = Page(render_report_html(story))
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "action")]
    assert "<script>alert(1)</script>" in page.text
    assert not {"\x1b", "\x00"} & set(page.text)


def test_nothing_is_loaded_and_paper_and_dark_are_thought_of():
    text = render_report_html(hostile())
    assert "default-src 'none'" in text
    assert not [word for word in ("http:", "https:", "@import", "url(") if word in text]
    assert "prefers-color-scheme:dark" in text
    assert "@media print" in text


def test_bars_stay_in_their_lane():
    page = Page(render_report_html(hostile()))
    for place in [value for name, value in page.attributes if name == "style"]:
        left, width = (float(part.split(":")[1].rstrip("%")) for part in str(place).split(";"))
        assert 0 <= left <= 100
        assert 0 <= width <= 100


def test_a_terminal_gets_no_control_characters():
    text = render_report_text(hostile(), Paint())
    assert not {"\x1b", "\x00"} & set(text)
    assert "failed" in text
