"""Benchmarks: how fast and how large a node is, beside what it could at best be.

Never tests: nothing here passes or fails. README.md says what each measures and how to read it.
"""
