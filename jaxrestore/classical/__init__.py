"""Restoration without learning: filters, deconvolution, total variation, non-local methods, interpolation, inpainting.

Every method is a pure function `name(image, *, arguments) -> image` of an image (..., H, W, C), floating point in [0, 1], that gives the
restored image in its dtype. Noise levels `sigma` are in grey levels of 0..255, `psf` is a (kh, kw) array that sums to one, `mask` a
(..., H, W, 1) array of bools that is True where content is missing, `quality` what a JPEG was saved with, `scale` a whole number.
`catalogue` names the methods that the command line and `Restorer` know, and reads them from text.
"""
