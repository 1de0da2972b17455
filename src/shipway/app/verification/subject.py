"""What is verified: a release that serves, on the hosts of a context."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shipway.app.context import Context
from shipway.app.verification.run import Batch
from shipway.config.verify import VerifySection


@dataclass(frozen=True, slots=True)
class Subject:
    """`release` (of `version`) serves and is to be verified; `base` served before it ("": nothing, or not known).

    `wanted` is `verify:` of the configuration. `is_deploy`: it is verified in a run that has just switched to it, in
    which `base` still runs; otherwise by `shipway verify`, or after a way back.
    """

    context: Context
    wanted: VerifySection
    release: str
    version: str = ""
    base: str = ""
    is_deploy: bool = False


Source = Callable[[Subject], Awaitable[Sequence[Batch]]]
"""What turns the configuration into checks that can be asked. It raises nothing that is the release's fault: a check
that cannot be prepared becomes one that answers so."""
