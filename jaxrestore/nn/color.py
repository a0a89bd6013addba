"""Colours that networks take off their input and add to their output."""

import numpy as np

DIV2K_MEAN = np.array([0.4488, 0.4371, 0.4040], np.float32).reshape(1, 1, 1, 3)
"""The mean RGB of DIV2K's training images in [0, 1]: EDSR and the networks that grew from its code."""
