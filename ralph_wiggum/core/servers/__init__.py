"""Servers of a night: when they are up, when they are started again, when they are given up. Pure."""
