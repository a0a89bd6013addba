"""TGAN against the original Chainer code and its port; what lies between two frames."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.generative.tgan import TGAN, TGANDiscriminator, between
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns
from tests.parity.golden import goldens

NOISE = 2.5e-6
"""Of the port's own float32; that of the Chainer code, the same network, was not measured."""

SMALL = TGAN(slow=6, fast=5, temporal_features=(8, 6), features=32, bottom=1)
CRITIC = TGANDiscriminator(features=3, top=1)


def latents(model: TGAN, count: int = 2) -> jax.Array:
    return jax.random.uniform(jax.random.key(3), (count, model.slow), minval=-1.0, maxval=1.0)


@pytest.mark.parametrize("golden", goldens("restoration/tgan-chainer-original"), ids=str)
def test_equals_the_original(golden):
    model = TGAN(8, 8, (16, 8, 4, 4), 32)
    parts = {
        part: {name: value for name, value in golden.state.items() if name.split(".")[0] in names}
        for part, names in {"generator": ("fsgen", "vgen"), "critic": ("vdis",)}.items()
    }
    video = np.moveaxis(golden.tensors["output"], 2, -1)
    variables, _ = check_equals_reference(
        model,
        golden,
        golden.tensors["input"],
        state=parts["generator"],
        expected=video,
        tolerance=20 * NOISE,
        after=lambda made: 2 * made - 1,
    )
    z_fast = model.apply(variables, golden.tensors["input"], method="trajectory")
    np.testing.assert_allclose(z_fast, np.moveaxis(golden.tensors["z_fast"], 1, -1), atol=20 * NOISE)
    check_equals_reference(
        TGANDiscriminator(4),
        golden,
        (video + 1) / 2,
        state=parts["critic"],
        expected=golden.tensors["disc_output"],
        tolerance=20 * NOISE,
    )


@pytest.mark.parametrize("golden", goldens("restoration/tgan-generator-pytorch-port"), ids=str)
def test_equals_the_port(golden):
    model = TGAN(8, 8, (16, 8, 4, 4), 32, use_bias=True, norm_epsilon=1e-5)
    expected = np.moveaxis(golden.tensors["output"], 2, -1)
    check_equals_reference(model, golden, golden.tensors["input"], expected=expected, after=lambda made: 2 * made - 1)


def test_alone_as_together():
    video = check_alone_as_together(SMALL, (latents(SMALL),))
    assert video.shape == (2, 4, 16, 16, 3)
    assert 0.0 <= video.min() < video.max() <= 1.0
    scores = check_alone_as_together(CRITIC, (np.random.default_rng(0).random((2, 16, 16, 21, 3), np.float32),))
    assert scores.shape == (2, 1, 1, 1)


def test_every_parameter_learns():
    check_every_parameter_learns(SMALL, (latents(SMALL, 4),))
    videos = np.random.default_rng(1).random((3, 32, 16, 16, 3), np.float32)
    check_every_parameter_learns(CRITIC, (videos,))


def test_frames_between_frames():
    variables = initialise(SMALL, jax.random.key(0), latents(SMALL))
    z = latents(SMALL)
    plain = compiled(SMALL.apply)(variables, z)
    dense = compiled(lambda v, z: SMALL.apply(v, z, rate=3))(variables, z)
    assert dense.shape == (2, 3 * 3 + 1, 16, 16, 3)
    np.testing.assert_allclose(dense[:, ::3], plain, atol=1e-6)
    # A third of the way from one latent to the next.
    z_fast = SMALL.apply(variables, z, method="trajectory")
    third = (2 * z_fast[:, 1:2] + z_fast[:, 2:3]) / 3
    frame = SMALL.apply(variables, z, third, method="frames")
    np.testing.assert_allclose(dense[:, 4:5], frame, atol=1e-6)
    with pytest.raises(InputError, match="rate is 0"):
        between(z_fast, 0)


def test_between_by_hand():
    z_fast = jnp.array([0.0, 1.0, -1.0]).reshape(1, 3, 1)
    np.testing.assert_allclose(between(z_fast, 2).ravel(), [0.0, 0.5, 1.0, 0.0, -1.0])


def test_the_original_s_weights_do_not_fit_the_port():
    with pytest.raises(InputError, match="do not fit TGAN"):
        from_reference(TGAN(use_bias=True), {"fsgen.dc0.W": np.zeros((8, 16, 1), np.float32)})


def test_refuses_what_is_too_small():
    with pytest.raises(InputError, match=r"video has the shape .* T >= 16, H and W >= 16"):
        CRITIC.init(jax.random.key(0), jnp.zeros((1, 8, 16, 16, 3)))
