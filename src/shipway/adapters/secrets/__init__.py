"""Where secret values come from: the project's secrets files, commands, and password managers."""
