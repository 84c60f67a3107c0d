"""Codes of vectors, and scores over codes: pure functions on arrays."""
