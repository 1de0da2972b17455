"""The shell text that is sent to a host, and how words and bytes are written into it.

Everything here is constant text for a POSIX shell with a `printf` of its own
(tested: dash, bash, busybox, zsh; refused with a clear error: mksh, yash). One exchange is one line, so a line that was
cut on the way is never run: `read` fails on a line without its end, and the loop stops.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from shipway.core.action import Command
from shipway.core.ports import Request

BOOTSTRAP = 'while IFS= read -r _sw_l; do eval "$_sw_l"; done'
"""What the shell on the host runs. `read` takes its input bytewise, so what follows a line is left to the command. It
has no single quote, backslash, newline or `!`: so it passes unchanged through a login shell that is csh or fish."""

LINE_BYTES = 4096
"""A text longer than that is worth the start of a program that reads it at once; `read` takes about 1 MB/s."""

GRACE_S = 3
"""Between SIGTERM and SIGKILL for a command that has passed its limit, in seconds."""

_KILL_GROUP = """sh -c 'kill -s "$1" -- "-$2"' sh"""
"""Ends a process group as another user (after `sudo -n`). By the `kill` of a shell, never by the program: that of
procps 4.0.2 (Debian 12) takes `kill -TERM -1234` for `-1`, which is every process of the machine."""

_WATCH = (
    # Runs in a session of its own: $1 limit, $2 grace, $3 "" or how to become who may end the command, then the
    # command. Its own words ("Terminated") and the verdict `=T or -:status=` go to a capture; the command has the
    # outer stdout and stderr (5 and 6).
    "l=$1 g=$2 k=$3; shift 3; t=-; x=; p=; "
    'e() { [ "$k" ] && $k ' + _KILL_GROUP + ' "$1" "$$"; kill -s "$1" -- "-$$"; }; '
    # Ending the watchdog must end its sleep in every order of events: the signal may come before `p` is known, and a
    # process that was just forked still has its parent's handlers, so the sleep gets SIGKILL and `t=T` is set later.
    '(trap \'x=1; kill -s KILL "$p"\' TERM; sleep "$l" & p=$!; '
    '[ "$x" ] || wait "$p"; [ "$x" ] && { kill -s KILL "$p"; wait "$p"; exit; }; '
    'trap "" TERM; e TERM; sleep "$g"; e KILL) </dev/null >/dev/null 2>&1 5>&- 6>&- & w=$!; '
    'trap "t=T" TERM; '
    # A subshell, so that what the shell says about a signal goes to the capture and not to the command's stderr.
    '("$@") >&5 2>&6 5>&- 6>&-; s=$?; '
    # Where the shell that asked is gone, nobody reads the verdict; the watchdog is to end all the same.
    'trap "" PIPE; echo "=$t:$s="; '
    # After a limit nothing of the group stays, even what ignores SIGTERM.
    '[ "$t" = - ] && { kill "$w"; wait "$w"; exit; }; e KILL'
)
_MARK = (
    '_sw_p() { printf \'\\036%s:%s:%.4000s\\036\\n\' "$_sw_x" "$1" "$2" && '
    'printf \'\\036%s:%s:%.4000s\\036\\n\' "$_sw_x" "$1" "$2" >&2; }; '
)
_RUN = (
    # _sw_a BYTES: runs the text of so many bytes that follows its line, unless it was cut: then it does not end in our
    # word. `head` takes it in pieces of kilobytes, and not one byte too many, since nothing is sent behind it.
    '_sw_a() { _sw_l=$(head -c "$1"); case $_sw_l in *"#$_sw_x") eval "$_sw_l";; *) exit;; esac; }; '
    # _sw_b begins an exchange, _sw_o ends it. In between SIGUSR1 asks it to end before its next gate; outside of it the
    # signal is ignored, and programs of an exchange have it as they expect it.
    "_sw_b() { _sw_q= _sw_j=0; trap _sw_q=1 USR1; }; _sw_o() { trap '' USR1; }; _sw_o; "
    # _sw_r SEQUENCE STOP_ON SKIP GATE LIMIT BECOME INPUT WORD...; returns 0 when the exchange goes on. `_sw_z`, the
    # word of the process that opened this shell and of the shell, stays beside a command that outlives both
    # (core/at_work.py). Where nobody reads the answers any more, nothing new is begun.
    "_sw_r() { _sw_i=$1 _sw_t=$2 _sw_h=$3 _sw_y=$4 _sw_m=$5 _sw_k=$6 _sw_d=$7; shift 7; "
    '[ "$_sw_j" -gt 0 ] && { _sw_j=$((_sw_j-1)); return 0; }; '
    '[ "$_sw_y$_sw_q" = 11 ] && { _sw_p "$_sw_i" halted; return 1; }; '
    "{ case $_sw_d in "
    '-) _sw_v=$($_sw_s sh -c "$_sw_w" "$_sw_z" "$_sw_m" "$_sw_g" "$_sw_k" "$@" 2>&1 </dev/null);; '
    '+) _sw_v=$($_sw_s sh -c "$_sw_w" "$_sw_z" "$_sw_m" "$_sw_g" "$_sw_k" "$@" 2>&1);; '
    '*) _sw_v=$(printf %b "${_sw_d#.}" 2>/dev/null |'
    ' $_sw_s sh -c "$_sw_w" "$_sw_z" "$_sw_m" "$_sw_g" "$_sw_k" "$@" 2>&1);; '
    'esac; } 2>/dev/null; _sw_d=; _sw_p "$_sw_i" "$_sw_v" || exit; '
    'case $_sw_v in *"=-:0="*) _sw_j=$_sw_h; [ "$_sw_t" != success ];; *) [ "$_sw_t" != failure ];; esac; }; '
)
_FOLLOW = (
    # _sw_f BECOME INPUT WORD...: runs until the command ends, or our end of the channel is closed.
    '_sw_e() { [ "$_sw_k" ] && $_sw_k ' + _KILL_GROUP + ' "$1" "$_sw_c"; kill -s "$1" -- "-$_sw_c"; }; '
    "_sw_f() { _sw_k=$1 _sw_d=$2; shift 2; exec 3<&0; { case $_sw_d in "
    '-) $_sw_s "$@" </dev/null >&5 2>&5 3<&- 5>&- 6>&- & ;; '
    '*) printf %b "${_sw_d#.}" 2>/dev/null | $_sw_s "$@" >&5 2>&5 3<&- 5>&- 6>&- & ;; '
    "esac; }; _sw_c=$!; "
    "(cat <&3; _sw_e TERM; sleep 1; _sw_e KILL) >/dev/null 2>&1 5>&- 6>&- & "
    'wait "$_sw_c" 2>/dev/null; _sw_p 0 "=-:$?="; }; '
)
_HELLO = (
    "_sw_n=$(printf '\\nx'); _sw_n=${_sw_n%x}; exec 5>&1 6>&2; _sw_s=none; "
    # perl stands in where there is no setsid (macOS).
    "command -v perl >/dev/null && _sw_s='perl -MPOSIX -e POSIX::setsid();exec(@ARGV);exit(127)'; "
    "command -v setsid >/dev/null && _sw_s=setsid; "
    # Whether this sh says that a program was ended by a signal; where not, 128+n can only be taken for one.
    "_sw_v=$(sh -c '(\"$@\"); :' sh sh -c 'kill -TERM $$' 2>&1); "
    '_sw_p hello "${_sw_s%% *}:$(command -v printf):${_sw_v:+tells}:$$:$(printf 12 | head -c 1)"'
)
HALTED = b"halted"
"""The verdict on a gate before which an exchange ended because it was asked to."""

# The signal is ignored while a shell is still reading the line of its exchange: so it is sent until we have enough.
HALT_SCRIPT = 'n=0; while [ "$n" -lt 600 ] && kill -s USR1 "$1"; do n=$((n+1)); sleep 0.1; done'
# Ends a shell that nobody hears any more, and not what it runs: so it begins nothing after that. Its word comes by
# standard input, and its number may be that of another process by now.
END_SCRIPT = (
    "IFS= read -r word || exit 0; if [ -r /proc/self/cmdline ]; then"
    ' printf "%s\\n" "$word" | grep -qsF -f - "/proc/$1/cmdline"; else case $(ps -p "$1" -o args=) in'
    ' *"$word"*) ;; *) false;; esac; fi && kill -s KILL "$1"'
)


def hello_line(token: str) -> bytes:
    """Return the line that defines our functions in a fresh shell and makes it answer with the first marker.

    Unlike `token` everybody on the host can read `$0`, the shell's own word, which stands also beside its commands.
    """
    values = f"_sw_x={token}; _sw_z=$0; _sw_g={GRACE_S}; _sw_w={shlex.quote(_WATCH)}; "
    return (values + _MARK + _RUN + _FOLLOW + _HELLO + "\n").encode()


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its standard input as bytes (secrets resolved)."""

    request: Request
    stdin: bytes

    def line(self, sequence: int, *, raw: bool = False) -> bytes:
        """Return the call as shell text without a line end; `raw`: its input is what follows the line."""
        command = self.request.command
        limit = str(max(1, math.ceil(command.limit_s)))
        request = self.request
        head = ("_sw_r", str(sequence), request.stop_on, str(request.skip), "1" if request.gate else "0", limit)
        return b" ".join(
            (
                " ".join(head).encode(),
                b"'%b'" % _become(command),
                b"+" if raw else self._input(),
                words(command.words()),
            )
        )

    def _input(self) -> bytes:
        return b"'.%b'" % escape(self.stdin) if self.stdin else b"-"

    def follow_line(self) -> bytes:
        """Return the line that runs the command until it ends or the channel closes, and then ends the shell."""
        command = self.request.command
        return b"_sw_b; _sw_f '%b' %b %b; exit\n" % (_become(command), self._input(), words(command.words()))


def exchange_text(calls: Sequence[Call], first: int, token: bytes = b"") -> bytes:
    """Return what runs `calls`, numbered from `first`, as far as they go: one line.

    With the `token` of a shell that can take a long text in pieces, that text stands behind a line of its own.
    """
    text = b"_sw_b; " + b" && ".join(call.line(first + i) for i, call in enumerate(calls)) + b"; _sw_o"
    if not token or len(text) <= LINE_BYTES:
        return text + b"\n"
    text += b" #" + token
    return b"_sw_a %d\n%b" % (len(text), text)


def consume_line(call: Call) -> bytes:
    """Return the line that runs `call` with what follows as its input, as number 1, and then ends the shell."""
    return b"_sw_b; " + call.line(1, raw=True) + b"; exit\n"


def _become(command: Command) -> bytes:
    # A program run by sudo belongs to another user: only sudo may end it.
    return b"sudo -n" if command.sudo else b""


def words(argv: Sequence[str]) -> bytes:
    """Return `argv` as shell words on one line. Bytes that are no UTF-8 are kept (surrogateescape)."""
    quoted = " ".join(shlex.quote(word).replace("\n", "'\"$_sw_n\"'") for word in argv)
    return quoted.encode("utf-8", "surrogateescape")


_PLAIN = frozenset(b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "#$%&()*+,-./:;<=>?@[]^_`{|}~!')
_ESCAPED = tuple(bytes((i,)) if i in _PLAIN else b"\\0%03o" % i for i in range(256))


def escape(data: bytes) -> bytes:
    """Return `data` for `printf %b` within single quotes: printable ASCII as it is, the rest in octal."""
    return b"".join([_ESCAPED[byte] for byte in data])
