"""Benchmarks, run as `python -m benchmarks.NAME`; each prints its figures."""
