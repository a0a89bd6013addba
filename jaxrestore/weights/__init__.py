"""Weights: files of every kind in, files out, and the way between a reference's names and ours."""

from jaxrestore.weights.reference import from_reference, to_reference

__all__ = ["from_reference", "to_reference"]
