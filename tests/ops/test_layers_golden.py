"""Every tensor of the layers' goldens is compared with something: here, or in the test that a name is listed under.

What the library takes from JAX and Flax as it is (activations, normalisation, poolings) is compared here, so that the call which equals
torch's is on record.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.ops.interpolate import interpolate
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/layers")
CONVOLUTIONS = ("k1s1p0d1g1", "k3s1p1d1g1", "k3s1p1d1g4", "k3s1p2d2g1", "k3s2p1d1g1", "k4s2p1d1g1")
TRANSPOSED = ("k2s2p0op0", "k3s1p1op0", "k3s2p1op1", "k4s1p0op0", "k4s2p1op0", "k5s2p2op1", "k9s3p4op2")

COMPARED_ELSEWHERE = {
    "tests/nn/test_conv.py": {
        *(f"conv.{name}{part}" for name in CONVOLUTIONS for part in ("", ".weight")),
        *(f"convT.{name}{part}" for name in TRANSPOSED for part in ("", ".weight", ".bias")),
    },
    "tests/nn/test_conv_nd.py": {"v", "conv3d.weight", "conv3d.k3s1p1", "convT3d.weight", "convT3d.k4s2p1"},
    "tests/ops/test_interpolate.py": {
        *(f"interp.nearest.{size}" for size in ("x2", "x3", "half", "size_11_6")),
        *(f"interp.{m}.ac{a}.{size}" for m in ("bilinear", "bicubic") for a in (0, 1) for size in ("x2", "x3", "half", "size_11_6")),
        *("interp.bilinear.antialias.half", "interp.bicubic.antialias.half", "interp.area.size_3_4"),
    },
    "tests/ops/test_padding.py": {f"pad.{mode}.1_2_3_0" for mode in ("reflect", "replicate", "circular", "constant")},
    "tests/ops/test_patches.py": {"x4", "unfold.k3p1", "fold.k3p1"},
    "tests/ops/test_pixel_shuffle.py": {
        *("x", "x9", "xe", "pixel_shuffle2", "pixel_shuffle3", "pixel_unshuffle2", "pixel_unshuffle.xe", "kair_pixel_unshuffle.xe"),
    },
    "tests/ops/test_unpooling.py": {
        *("xm", "xo", "q", "maxpool2", "maxpool2.indices", "maxpool2.odd", "maxpool2.odd.indices"),
        *("max_unpool2", "max_unpool2.q", "max_unpool2.odd"),
    },
}


def nhwc(name: str) -> np.ndarray:
    return np.moveaxis(GOLDEN.tensors[name], 1, -1)


def instance_norm(x: np.ndarray) -> jax.Array:
    return nn.InstanceNorm(epsilon=1e-5, use_bias=False, use_scale=False).apply({}, x)


def unit_rows(x: np.ndarray) -> np.ndarray:
    """torch's F.normalize over the width."""
    return x / np.maximum(np.linalg.norm(x, axis=2, keepdims=True), 1e-12)


COMPARED_HERE = {
    "gelu_erf": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    "instance_norm": instance_norm,
    "normalize_dim-1": unit_rows,
    "maxpool3s2p1": lambda x: nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1))),
    "avgpool2": lambda x: nn.avg_pool(x, (2, 2), (2, 2)),
    "avgpool3s2p1_nocountpad": lambda x: nn.avg_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)), count_include_pad=False),
    "adaptive_avg_3_4": lambda x: interpolate(x, size=(3, 4), method="area"),
}
CHANNELWISE = {"cwfc.x", "cwfc.weight", "cwfc.bias", "cwfc.out"}


@needs_parity
def test_no_tensor_is_forgotten():
    assert set().union(COMPARED_HERE, CHANNELWISE, *COMPARED_ELSEWHERE.values()) == set(GOLDEN.tensors)


@needs_parity
@pytest.mark.parametrize("name", COMPARED_HERE)
def test_equals_torch(name):
    np.testing.assert_allclose(COMPARED_HERE[name](nhwc("xo")), nhwc(name), atol=2e-6)


@needs_parity
def test_channel_wise_fully_connected():
    golden = GOLDEN.tensors
    planes = golden["cwfc.x"].reshape(2, 6, 12)
    result = jnp.einsum("nci,coi->nco", planes, golden["cwfc.weight"], precision="highest") + golden["cwfc.bias"][None]
    np.testing.assert_allclose(result.reshape(2, 6, 3, 4), golden["cwfc.out"], atol=2e-5)
