"""The sentences and recipes of a verdict, one catalogue each, written in the user's own names."""
