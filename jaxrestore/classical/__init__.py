"""Restoration without learning: filters, deconvolution, total variation, non-local methods, interpolation, inpainting."""
