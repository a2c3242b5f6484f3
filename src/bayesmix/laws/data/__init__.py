"""Finite, repeated and filtered data."""
