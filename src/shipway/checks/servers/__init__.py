"""Checks of servers: one read-only question to each, its answer parsed strictly, and what follows from it."""
