"""ESPCN in YCbCr: RGB outside, JPEG's full-range YCbCr inside."""

import jax
import numpy as np

from jaxrestore.models.super_resolution.espcn import ESPCN
from jaxrestore.nn.initialise import initialise

# JFIF 1.02, section 7; offsets in grey levels.
TO_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
OFFSET = np.array([0.0, 128.0, 128.0]) / 255.0


def test_rgb_outside_and_ycbcr_inside():
    model = ESPCN(2, (6, 4), channels=3, ycbcr=True)
    image = np.random.default_rng(0).random((1, 7, 9, 3), np.float32)
    params = initialise(model, jax.random.key(0), image)["params"]
    variables = {"params": {**params, "conv_2": jax.tree.map(lambda leaf: 300.0 * leaf, params["conv_2"])}}
    inside = model.clone(ycbcr=False).apply(variables, (image @ TO_YCBCR.T + OFFSET).astype(np.float32))
    assert np.min(inside) < 0 < 1 < np.max(inside)  # so that clipping shows
    expected = (np.clip(inside, 0, 1) - OFFSET) @ np.linalg.inv(TO_YCBCR).T
    np.testing.assert_allclose(model.apply(variables, image), expected, atol=2e-5)
