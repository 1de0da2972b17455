from __future__ import annotations

import pytest
from supervisor.options import ServerOptions

from shipway.core.layout import Layout
from shipway.runtimes.venv.keeper import Program
from shipway.runtimes.venv.supervisor import Supervisor, config_file, program_file


def program(argv: tuple[str, ...], **changes: object) -> Program:
    values = {"definition": "/d", "pidfile": "/p", "launcher": "/l", "pythons": ("a", "b"), **changes}
    return Program(name="shop-web-r1", argv=argv, **values)  # type: ignore[arg-type]


def read_by_supervisor(tmp_path, text: str):
    """Return the process groups that supervisor itself reads from `text` as an included file."""
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "a.conf").write_text(text)
    (tmp_path / "supervisord.conf").write_text(config_file(Layout(str(tmp_path), "shop")))
    options = ServerOptions()
    options.configfile = str(tmp_path / "supervisord.conf")
    options.here = str(tmp_path)
    options.read_config(options.configfile)
    return {group.name: group for group in options.configroot.supervisord.process_group_configs}


@pytest.mark.parametrize(
    "word", ["/a b", "100%", "%(here)s", "; c", " # d", "'", '"', "\\", "$HOME", "é", "", "a,b=c:d"]
)
def test_supervisor_reads_every_word_as_it_was(tmp_path, word: str) -> None:
    import shlex

    groups = read_by_supervisor(tmp_path, program_file(program(("/bin/sh", word, "end"))))
    process = groups["shop-web-r1"].process_configs[0]
    assert shlex.split(process.command) == ["/bin/sh", word, "end"]


def test_the_stop_signal_reaches_the_parent_only_and_the_kill_all(tmp_path) -> None:
    text = program_file(program(("/bin/sh",), stop_signal="QUIT", stop_s=45.5))
    process = read_by_supervisor(tmp_path, text)["shop-web-r1"].process_configs[0]
    assert process.stopasgroup is False
    assert process.killasgroup is True
    assert process.stopwaitsecs == 47
    assert process.stopsignal.name == "SIGQUIT"
    assert process.stdout_logfile is None


@pytest.mark.parametrize("word", ["a\nb", "a\rb", "\0", "\x1b"])
def test_control_characters_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="control"):
        program_file(program((word,)))


def test_a_control_socket_that_would_be_too_long_is_refused() -> None:
    room = 107 - len(".123456789"[:9]) - len("/keeper/supervisor.sock")
    Supervisor(Layout("/" + "x" * (room - 1), "shop"))
    with pytest.raises(ValueError, match="bytes"):
        Supervisor(Layout("/" + "x" * room, "shop"))
