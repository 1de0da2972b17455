"""Migrations in, verdicts out: what they do to running code, to a way back, and to tables. Pure."""
