"""One use case per file; the only wiring."""
