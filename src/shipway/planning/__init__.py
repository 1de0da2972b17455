"""Facts, configuration and manifests in; a `Plan` out. Pure: no I/O, no clock, no randomness."""
