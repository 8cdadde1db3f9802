"""Benchmarks: how fast and how light, as ratios measured in one run.

``python -m tests.bench`` prints a table and keeps it in ``docs/benchmarks.md``. They are no tests:
nothing here passes or fails.
"""
