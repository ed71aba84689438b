"""Crash safety proved effect by effect (B2): a whole night in which the n-th effect is the last, or fails, for every n.

`effects` counts what a process does to the world and has one effect go wrong, `library` puts it below the standard
library, `scene` makes the project and says what a night came to, `nursery` spends nights in forked processes, `rounds`
compares them. python -m tests.night.faults is the whole of it as a script.
"""
