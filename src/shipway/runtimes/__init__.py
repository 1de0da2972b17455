"""How a release runs on a host: pure builders of steps and commands, pure parsers of what hosts answer."""
