"""Shipway ships Django projects to servers that their teams own."""

__version__ = "0.1.0"
