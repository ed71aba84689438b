"""What agents print as structured events, one small parser for each program; all give the same `Heard` in the end."""
