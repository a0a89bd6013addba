"""Blur and deconvolution against SciPy and scikit-image, in float64."""

from functools import partial

import jax
import numpy as np
import pytest

from jaxrestore.classical.richardson_lucy import richardson_lucy
from jaxrestore.classical.wiener_deconvolution import wiener_hunt_deconvolution
from jaxrestore.ops.filtering import filter_2d
from jaxrestore.ops.fourier import filter_circular
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/classical-deconv-inpaint")

_hunt = partial(wiener_hunt_deconvolution, border="circular")
_lucy = partial(richardson_lucy, iterations=30, border="zeros")
# scikit-image clips at -1 and 1, not at 0.
_clip = partial(np.clip, a_min=-1.0, a_max=1.0)

CASES = {
    "blurred": lambda t: filter_2d(t["clean"], t["psf"][::-1, ::-1, 0].copy(), "symmetric"),
    "blur.wrap": lambda t: filter_circular(t["clean"], t["psf"][..., 0]),
    "blur.fft": lambda t: filter_circular(t["clean"], t["psf"][..., 0]),
    "wiener.balance0.1": lambda t: _hunt(t["blurred_noisy2"], psf=t["psf"][..., 0], balance=0.1),
    "wiener.balance0.01": lambda t: _hunt(t["blurred_noisy2"], psf=t["psf"][..., 0], balance=0.01),
    "wiener.balance0.1.clip": lambda t: _clip(_hunt(t["blurred_noisy2"], psf=t["psf"][..., 0], balance=0.1)),
    "richardson_lucy30": lambda t: _lucy(t["blurred_noisy2"], psf=t["psf"][..., 0]),
    "richardson_lucy30_eps": lambda t: _clip(_lucy(t["blurred_noisy2"], psf=t["psf"][..., 0], filter_epsilon=1e-3)),
}
INPUTS = {"clean", "psf", "blurred_noisy2"}
INPAINTING = {"mask", "inpaint_biharmonic"}  # theirs are the tests of inpainting


@needs_parity
@pytest.mark.parametrize("name", CASES)
def test_equals_the_golden(name):
    tensors = {key: value[..., None] for key, value in GOLDEN.tensors.items()}
    with jax.enable_x64(True):
        np.testing.assert_allclose(CASES[name](tensors), tensors[name], rtol=0, atol=1e-13)


@needs_parity
def test_every_tensor_is_in_a_list():
    assert set(GOLDEN.tensors) == set(CASES) | INPUTS | INPAINTING
