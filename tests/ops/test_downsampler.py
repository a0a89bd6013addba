"""Lanczos downsampling against Deep Image Prior's authors and MATLAB's resizing."""

import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.downsampler import lanczos_downsample, lanczos_taps
from jaxrestore.ops.resize import imresize
from tests.parity.golden import Golden
from tests.shared import needs_parity

CASES = [(lobes, factor, phase) for lobes in (2, 3) for factor in (2, 4) for phase in (0.5, 0)]


@needs_parity
@pytest.mark.parametrize(("lobes", "factor", "phase"), CASES)
def test_equals_the_authors(lobes, factor, phase):
    golden, name = Golden("ops/dip_downsampler").tensors, f"lanczos{lobes}.f{factor}.phase{phase}"
    taps = lanczos_taps(factor, lobes, phase)
    np.testing.assert_allclose(np.outer(taps, taps), golden[f"{name}.kernel"], atol=1e-15)
    shrunk = lanczos_downsample(np.moveaxis(golden["x"], 1, -1), factor, lobes, phase)
    np.testing.assert_allclose(np.moveaxis(shrunk, -1, 1), golden[name], atol=1e-6)  # its convolution is in float32


@needs_parity
def test_every_stored_tensor_is_used():
    names = {f"lanczos{lobes}.f{factor}.phase{phase}" for lobes, factor, phase in CASES}
    assert set(Golden("ops/dip_downsampler").tensors) == {"x"} | names | {f"{name}.kernel" for name in names}


def test_equals_matlabs_resizing_inside():
    image = np.random.default_rng(0).random((40, 36, 1))
    with jax.enable_x64(True):
        ours, matlab = lanczos_downsample(image, 2), imresize(image, 0.5, kernel="lanczos2")
    np.testing.assert_allclose(ours[2:-2, 2:-2], matlab[2:-2, 2:-2], atol=1e-14)
    assert not np.allclose(ours[0], matlab[0], atol=1e-3)


@pytest.mark.parametrize("phase", [0, 0.5])
def test_where_the_pixels_lie_for_an_odd_factor(phase):
    ramp = np.tile(np.arange(30.0, dtype=np.float32)[None, :, None], (3, 1, 1))
    shrunk = lanczos_downsample(ramp, 3, 2, phase)
    assert shrunk.shape == (1, 10, 1)
    np.testing.assert_allclose(shrunk[0, 3:7, 0], 3 * np.arange(3, 7) + (0 if phase == 0 else 1.5), atol=1e-4)


def test_bad_input_is_said():
    with pytest.raises(InputError, match="too small to shrink by 4"):
        lanczos_downsample(np.zeros((3, 8, 1), np.float32), 4)
    for arguments, message in (((0,), "factor is 0"), ((2, 0), "lobes is 0"), ((2, 2, 0.25), "phase is 0.25")):
        with pytest.raises(InputError, match=message):
            lanczos_downsample(np.zeros((8, 8, 1), np.float32), *arguments)
