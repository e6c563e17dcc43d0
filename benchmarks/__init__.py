"""Benchmarks: `python -m benchmarks.proxy` and its like. Each prints a table and writes JSON."""
