"""`logging`: where Docker keeps what containers print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shipway.config.keys import key
from shipway.config.kinds import Text
from shipway.config.options import Options, OptionsKind
from shipway.config.tree import ScalarValue

_DEFAULT_OPTIONS: Mapping[str, ScalarValue] = {"max-size": "10m"}  # configuration/logging.rb of Kamal


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """The log driver of containers."""

    driver: str | None = key(Text(), "The log driver: `--log-driver`.", default="Docker's own")
    options: Options | None = key(
        OptionsKind(has_restart=False), "Options of the driver: `--log-opt`.", default="max-size 10m, without a driver"
    )

    def over(self, base: Logging) -> Logging:
        """Return `base` with this laid over it."""
        if base.options is None and self.options is None:
            return Logging(driver=self.driver or base.driver)
        return Logging(driver=self.driver or base.driver, options={**(base.options or {}), **(self.options or {})})

    def resolved_options(self) -> Options:
        """Return the options to use: `max-size` 10m where neither driver nor options were given."""
        return self.options or ({} if self.driver else _DEFAULT_OPTIONS)
