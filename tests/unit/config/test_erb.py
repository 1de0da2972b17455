import pytest

from shipway.config.erb import render_erb
from shipway.config.erb_expression import ErbFacts

FACTS = ErbFacts({"NAME": "shop", "EMPTY": "", "TWO": "a\nb"}, "arm64", "0123456789" * 4)

RENDERED = [
    ("no tags at all", "no tags at all"),
    ('a: <%= ENV["NAME"] %>', "a: shop"),
    ("a: <%= ENV['NAME'] %>", "a: shop"),
    ('a: <%= ENV["NONE"] %>', "a: "),
    ('a: <%= ENV.fetch("NAME") %>', "a: shop"),
    ('a: <%= ENV.fetch("NONE", "x") %>', "a: x"),
    ('a: <%= ENV.fetch("NONE", 3) %>', "a: 3"),
    ('a: <%= ENV.fetch("NONE") { "x" } %>', "a: x"),
    ('a: <%= ENV.fetch("NAME", ENV.fetch("NONE")) %>', "a: shop"),
    ('a: <%= ENV["NONE"] || "x" %>', "a: x"),
    ('a: <%= ENV["EMPTY"] || "x" %>', "a: "),
    ('a: <%= ENV["NAME"] || ENV.fetch("NONE") %>', "a: shop"),
    (r'a: <%= "q\"\\\t#x" %>', 'a: q"\\\t#x'),
    (r"a: <%= 'q\'\n' %>", r"a: q'\n"),
    ("a: <%= 1_000 %> <%= 1.50 %> <%= true %> <%= nil %>", "a: 1000 1.50 true "),
    ("a: <%= Kamal::Utils.docker_arch %>", "a: arm64"),
    ('a: <%= Kamal::Utils.docker_arch == "arm64" ? "amd64" : "arm64" %>', "a: amd64"),
    ('a: <%= (Kamal::Utils.docker_arch != "arm64") ? "x" : (ENV["NAME"] == "shop" ? "y" : "z") %>', "a: y"),
    ("a: <%= `git rev-parse HEAD` %>", "a: " + "0123456789" * 4 + "\n"),
    ("a: <%= `git rev-parse HEAD`.strip %>", "a: " + "0123456789" * 4),
    ("a: <%= %x(git rev-parse --short HEAD).chomp %>", "a: 0123456"),
    ("a: <%# a comment, `rm -rf /` %>b", "a: b"),
    ("<% # a comment -%>\na: 1", "a: 1"),
    ("  <%- %>\na: 1", "\na: 1"),
    ("a: <%= 1 -%>\nb", "a: 1b"),
    ("a: <%= 1 %>\nb", "a: 1\nb"),
    ("a: <%% x %>", "a: <% x %>"),
    ('a: <%= "%%>" %>', "a: %>"),
    ("a: <%= %x{git rev-parse HEAD}.to_s.strip %>", "a: " + "0123456789" * 4),
]

REFUSED = [
    ("a\n<% system('rm -rf /') %>", 2, "ERB code cannot be run: `system('rm -rf /')`"),
    ("<%= `ls` %>", 1, "the command in ERB is not run: `ls`"),
    ("<%= `git rev-parse HEAD; ls` %>", 1, "the command in ERB is not run"),
    ("<%= %x(aws ecr get-login-password) %>", 1, "the command in ERB is not run: `aws ecr get-login-password`"),
    ('<%= ENV.fetch("NONE") %>', 1, 'key not found: "NONE"'),
    ('\n\n<%= "#{1}" %>', 3, "computes a part of its text"),
    ("<%= ENV %>", 1, "ERB code cannot be run"),
    ('<%= ENV["A"].upcase %>', 1, "ERB code cannot be run"),
    ('<% if ENV["A"] -%>\na: 1\n<% end -%>', 1, "ERB code cannot be run"),
    ("<%= File.read('x') %>", 1, "ERB code cannot be run"),
    ("<%= 1", 1, "never closed"),
    ("<%=\n\n1 +\n1 %>", 1, "ERB code cannot be run"),
    ("<%= " + "(" * 30 + "1" + ")" * 30 + " %>", 1, "ERB code cannot be run"),
    ("<%= %>", 1, "ERB code cannot be run"),
]


@pytest.mark.parametrize(("text", "expected"), RENDERED)
def test_the_subset_renders_as_in_ruby(text: str, expected: str) -> None:
    rendered = render_erb(text, "f", FACTS)
    assert rendered.findings == ()
    assert rendered.text == expected
    assert len(rendered.lines) == expected.count("\n") + 1


@pytest.mark.parametrize(("text", "line", "what"), REFUSED)
def test_anything_else_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    found = render_erb(text, "config/deploy.yml", FACTS).findings
    assert found[0].where == f"config/deploy.yml:{line}"
    assert found[0].code == "config.erb"
    assert what in found[0].what
    assert found[0].next


def test_a_missing_commit_is_refused() -> None:
    assert "there is none here" in render_erb("<%= `git rev-parse HEAD` %>", "f", ErbFacts()).findings[0].what


def test_all_bad_tags_are_told() -> None:
    found = render_erb("a\n<%= x %>\n<%= y %>\n", "f", FACTS).findings
    assert [finding.where for finding in found] == ["f:2", "f:3"]


def test_lines_of_the_result_lead_back_to_the_source() -> None:
    text = 'a: <%=\n  ENV["TWO"]\n%>\n<%# x -%>\nb: 1\n<%# y %>\nc: 2\n'
    rendered = render_erb(text, "f", FACTS)
    source = dict(zip(rendered.text.split("\n"), rendered.lines, strict=True))
    assert (source["a: a"], source["b: 1"], source["c: 2"]) == (1, 5, 7)
