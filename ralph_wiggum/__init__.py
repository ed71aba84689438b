"""The overnight runner for Kiro-style markdown specs."""

__version__ = "0.1.0"  # a literal: importlib.metadata costs 31 ms at every start
