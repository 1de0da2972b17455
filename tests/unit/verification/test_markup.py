"""What pages refer to, and their forms."""

import pytest

from shipway.verification.markup import Reference, filled, find_form, forms_of, references_of

URL = "https://shop.example/a/"
LOGIN = """
<form id="search" action="/find"><input name="q" value=""></form>
<form method="POST" action="/admin/login/?next=/admin/">
  <input type="hidden" name="csrfmiddlewaretoken" value="tok&amp;en">
  <input name="username"><input type="password" name="password">
  <input type="checkbox" name="keep" value="1" checked><input type="checkbox" name="other">
  <select name="lang"><option value="en">English<option value="de" selected>Deutsch</select>
  <textarea name="note">
Hello</textarea>
  <input type="file" name="f"><input name="gone" disabled>
  <button name="go" value="in">In</button><input type="submit" name="cancel" value="1">
</form>
"""


def test_files_of_a_page_each_once_and_in_order() -> None:
    html = """<base href="/b/"><link rel=stylesheet href="s.css?x=1&amp;y=2">
    <link rel="alternate stylesheet" href=no.css>
    <link rel="shortcut icon" href="/favicon.ico"><script src="//cdn.example/x.js"></script>
    <script src=/s.js#h></script><script src="/s.js"></script>
    <img src="data:image/png;base64,AA"><img src='i.png' alt><img alt="none">
    <script>1</script><link rel=preconnect href=https://cdn.example><link rel=canonical href=/>"""
    assert references_of(html, URL) == (
        Reference("https://shop.example/b/s.css?x=1&y=2", "style"),
        Reference("https://shop.example/favicon.ico", "icon"),
        Reference("https://cdn.example/x.js", "script"),
        Reference("https://shop.example/s.js", "script"),
        Reference("https://shop.example/b/i.png", "image"),
    )


def test_a_form_as_it_would_be_sent() -> None:
    form = find_form(forms_of(LOGIN, URL), "true", {"username": "ann", "password": "x y"})
    assert form is not None
    assert form.action == "https://shop.example/admin/login/?next=/admin/"
    assert filled(form, {"username": "ann", "password": "x y"}) == (
        "csrfmiddlewaretoken=tok%26en&keep=1&lang=de&note=Hello&go=in&username=ann&password=x+y"
    )


@pytest.mark.parametrize(
    ("wanted", "action"), [("search", "/find"), ("/find", "/find"), ("true", "/find"), ("nobody", "")]
)
def test_which_form_is_meant(wanted: str, action: str) -> None:
    form = find_form(forms_of(LOGIN, URL), wanted, {})
    assert (form.action.removeprefix("https://shop.example") if form else "") == action


def test_a_form_without_an_action_goes_to_its_page() -> None:
    (form,) = forms_of("<form method=post><input name=a></form>", f"{URL}?x=1")
    assert form.action == f"{URL}?x=1"


def test_a_form_without_the_fields_is_not_meant() -> None:
    assert find_form(forms_of(LOGIN, URL), "true", {"amount": "1"}) is None


@pytest.mark.parametrize(
    "html", ["", "<", "<form", "<form><select name=a>", "</form></select>", "<!--", "<textarea name=x>", "\0<b>"]
)
def test_broken_pages_are_read(html: str) -> None:
    references_of(html, URL)
    forms_of(html, URL)
