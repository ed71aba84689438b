"""agent-browser: where it is, the environment it runs in, one session of it for each validation."""
