"""Servers of a night, for real: processes, probes, logs (O23, O24)."""
