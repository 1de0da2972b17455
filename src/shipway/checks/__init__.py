"""Checks: what is known of a project, its servers and the world around them in, findings with codes out. Pure."""
