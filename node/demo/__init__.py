"""The demonstration: three neighbouring towns on one machine, with invented shops."""
