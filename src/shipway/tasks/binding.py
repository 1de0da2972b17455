"""Whether a call fits a signature, as `inspect.Signature.bind` says it, from what a manifest keeps of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shipway.core.task import Message, Signature


def misfit(message: Message, signature: Signature) -> str:
    """Return why `signature` cannot take the arguments of `message`, without a full stop; "" when it can.

    Arguments that could not be read fit: nothing is known against them.
    """
    if message.arguments < 0:
        return ""
    positional = signature.positional
    if message.arguments > len(positional) and not signature.varargs:
        return f"it takes {len(positional)} arguments, and they have {message.arguments}"
    given = set(positional[: message.arguments])
    if twice := sorted(given & set(message.keywords)):
        return f"they give `{twice[0]}` twice"
    known = {*positional, *signature.keyword}
    if not signature.varkw and (strange := sorted(set(message.keywords) - known)):
        return f"it has no `{strange[0]}`"
    given |= set(message.keywords)
    wanted = (*signature.required, *(name for name, is_required in signature.keyword.items() if is_required))
    missing = [name for name in wanted if name not in given]
    return f"they lack `{missing[0]}`" if missing else ""


def drift(caller: Signature, callee: Signature) -> str:
    """Return why calls that `caller` allows may fail with `callee`, without a full stop; "" when none can."""
    return next(iter(_drifts(caller, callee)), "")


def _drifts(caller: Signature, callee: Signature) -> Iterator[str]:
    required = {*callee.required, *_required(callee.keyword.items())}
    surely = {*caller.required, *_required(caller.keyword.items())}
    for name in sorted(required - surely):
        yield f"`{name}` must be given"
    known = {*callee.positional, *callee.keyword}
    if not callee.varkw:
        for name in sorted({*caller.positional, *caller.keyword} - known):
            yield f"`{name}` is unknown"
    if caller.varargs and not callee.varargs:
        yield "more arguments may be given"
    for before, after in zip(caller.positional, callee.positional, strict=False):
        if before != after:
            yield f"`{before}` has another place"


def _required(keywords: Iterable[tuple[str, bool]]) -> list[str]:
    return [name for name, is_required in keywords if is_required]
