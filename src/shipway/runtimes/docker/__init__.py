"""Releases as containers of one image."""
