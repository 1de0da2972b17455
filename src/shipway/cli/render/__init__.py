"""How things look: errors, events, plans and tables, for a terminal, a log, and a program."""
