"""Checks of a project that need no server: what its files say against what the configuration says."""
