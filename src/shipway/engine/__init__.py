"""Executor, undo, observe, lock. Knows the world only through the protocols of `core.ports`."""
