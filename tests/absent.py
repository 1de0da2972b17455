"""What a test needs and this machine has not: a reason to pass over it here, and a failure in CI."""

import os
from typing import NoReturn

import pytest

IS_CI = os.environ.get("CI") not in (None, "", "0", "false")
"""In CI nothing that can be installed may be missing: what is skipped there is never run anywhere."""


def absent(why: str) -> NoReturn:
    """Skip the test, or fail it in CI."""
    if IS_CI:
        pytest.fail(why)
    pytest.skip(why)
