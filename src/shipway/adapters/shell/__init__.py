"""Commands framed through one POSIX shell that is kept open: what `local` and `ssh` have in common."""
