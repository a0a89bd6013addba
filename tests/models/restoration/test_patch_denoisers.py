"""Denoisers that restore patches: dense, convolutional, and on-demand learning's encoder-decoder."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from safetensors.numpy import load_file

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.on_demand import OnDemandNet
from jaxrestore.models.restoration.patch_cnn import PatchCNN
from jaxrestore.models.restoration.patch_mlp import PatchMLP
from jaxrestore.nn.channelwise_linear import ChannelwiseLinear
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.patchwise import gaussian_weights, restore_patches
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_every_parameter_learns, random_inputs
from tests.parity.golden import PARITY

SMALL: dict[str, nn.Module] = {
    "patch mlp": PatchMLP(6, 4, (20, 16)),
    "patch perceptron": PatchMLP(4, 4, (), 3, "sigmoid", stride=2),
    "patch cnn": PatchCNN(8, 3, 3, 6, 3),
    "on demand": OnDemandNet(4, 1, 16, 5),
}


@pytest.mark.parametrize("name", SMALL)
def test_any_size_batch_and_precision(name: str):
    model = SMALL[name]
    inputs = random_inputs(model)
    assert check_alone_as_together(model, inputs, uncompiled=True).shape == inputs[0].shape
    smaller_than_a_patch = np.full((1, 1, 3, model.channels), 0.5, np.float32)
    assert jax.eval_shape(lambda x: model.init_with_output(jax.random.key(0), x)[0], smaller_than_a_patch).shape == (
        1,
        1,
        3,
        model.channels,
    )


@pytest.mark.parametrize("name", [name for name in SMALL if name != "on demand"])
def test_every_parameter_learns(name: str):
    check_every_parameter_learns(SMALL[name], random_inputs(SMALL[name]))


def jittered(params):
    """The initial kernels are so small that with few channels nothing gets through."""
    random = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: leaf + 0.3 * random.standard_normal(leaf.shape, np.float32), params)


def test_every_parameter_of_the_trained_on_demand_network_matters():
    """With fixed statistics: while they are the batch's, a bias before a normalisation changes nothing."""
    model = SMALL["on demand"]
    images = random_inputs(model)[0]
    variables = initialise(model, jax.random.key(0), images)
    params = jittered(variables["params"])
    gradient = compiled(jax.grad(lambda p: jnp.mean(jnp.square(model.apply({**variables, "params": p}, images) - 0.3))))(params)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        assert np.isfinite(leaf).all(), path
        assert np.abs(leaf).max() > 1e-9, path


@pytest.mark.parametrize("size", [(5, 5), (6, 11), (3, 17), (12, 8)])
def test_patches_that_stay_as_they_are_give_the_image(size: tuple[int, int]):
    image = np.random.default_rng(0).random((2, *size, 3), np.float32)
    same = restore_patches(image, lambda patches: patches[:, 1:-1, 1:-1], 7, 5, 3, gaussian_weights(5))
    np.testing.assert_allclose(same, image, atol=1e-6)


def test_overlapping_patches_are_averaged_by_their_weights():
    image = np.random.default_rng(0).random((1, 8, 11, 1), np.float32)
    ramp = np.random.default_rng(1).random((5, 5, 1), np.float32)
    weights = gaussian_weights(5)
    restored = restore_patches(image, lambda patches: patches * ramp[None], 5, 5, 3, weights)
    total, weight = np.zeros((8, 11, 1)), np.zeros((8, 11, 1))
    for row in (0, 3):
        for column in (0, 3, 6):
            place = np.s_[row : row + 5, column : column + 5]
            total[place] += weights * ramp * image[0][place]
            weight[place] += weights
    np.testing.assert_allclose(restored[0], total / weight, atol=1e-6)
    assert weights[2, 2] == 1.0
    np.testing.assert_allclose(weights[0, 2], np.exp(-0.5 * (2 / 1.25) ** 2), rtol=1e-6)


@pytest.mark.parametrize(
    ("sizes", "message"), [((4, 5, 1), "gives 5"), ((6, 5, 1), "odd or even"), ((5, 5, 6), "stride is 6"), ((5, 5, 0), "stride")]
)
def test_patches_that_make_no_sense(sizes: tuple[int, int, int], message: str):
    with pytest.raises(InputError, match=message):
        restore_patches(np.zeros((1, 8, 8, 1), np.float32), lambda patches: patches, *sizes)


def test_channelwise_linear_equals_separate_dense_layers():
    golden = (
        load_file(PARITY / "ops" / "layers.safetensors") if PARITY.is_dir() else pytest.skip("golden vectors are not beside this checkout")
    )
    params = {"kernel": np.swapaxes(golden["cwfc.weight"], 1, 2), "bias": golden["cwfc.bias"]}
    result = ChannelwiseLinear().apply({"params": params}, np.moveaxis(golden["cwfc.x"], 1, -1))
    np.testing.assert_allclose(np.moveaxis(result, -1, 1), golden["cwfc.out"], atol=2e-5)


def test_a_perceptron_that_is_trained_to_the_end_is_least_squares():
    """Wiener's filter of the patches: no other linear map has a smaller error, and the gradient leads there."""
    random = np.random.default_rng(0)
    clean = 0.5 + 0.2 * random.standard_normal((60, 1, 1, 1)) + 0.1 * random.standard_normal((60, 3, 3, 1))
    noisy = clean + 0.1 * random.standard_normal(clean.shape)
    clean, noisy = clean.astype(np.float32), noisy.astype(np.float32)
    model = PatchMLP(3, 3, ())

    @compiled
    def train(params):
        loss = lambda p: jnp.mean(jnp.sum(jnp.square((model.apply({"params": p}, noisy) - clean) / 0.2), (1, 2, 3)))  # noqa: E731

        def step(carry, _):
            params, velocity = carry
            velocity = jax.tree.map(lambda v, g: 0.95 * v - 0.03 * g, velocity, jax.grad(loss)(params))
            return (jax.tree.map(jnp.add, params, velocity), velocity), None

        return lax.scan(step, (params, jax.tree.map(jnp.zeros_like, params)), length=3000)[0][0]

    params = train(initialise(model, jax.random.key(0), noisy)["params"])
    design = np.concatenate([noisy.reshape(60, 9), np.ones((60, 1))], 1)
    best = design @ np.linalg.lstsq(design, clean.reshape(60, 9).astype(np.float64))[0]
    restored = np.asarray(model.apply({"params": params}, noisy)).reshape(60, 9)
    np.testing.assert_allclose(restored, best, atol=2e-4)
    assert np.mean((best - clean.reshape(60, 9)) ** 2) < 0.7 * np.mean((noisy - clean) ** 2)


def test_a_large_patch_gives_its_middle():
    """With the matrix that picks the middle 3x3 of 5x5, the network changes nothing."""
    model = PatchMLP(5, 3, (), stride=2)
    image = np.random.default_rng(0).random((1, 9, 8, 1), np.float32)
    middle = np.eye(25, dtype=np.float32).reshape(5, 5, 25)[1:-1, 1:-1].reshape(9, 25).T
    variables = {"params": {"dense_0": {"kernel": middle, "bias": np.zeros(9, np.float32)}}}
    np.testing.assert_allclose(model.apply(variables, image), image, atol=1e-6)
    with pytest.raises(InputError, match="output is 'tanh'"):
        PatchMLP(output="tanh").init(jax.random.key(0), image)


def test_a_pixel_sees_only_the_patches_that_cover_it():
    model = PatchCNN(8, 4, 9, 4)  # without patches, nine layers would see 9 pixels to each side
    image = np.random.default_rng(0).random((1, 8, 24, 1), np.float32)
    variables = initialise(model, jax.random.key(0), image)
    changed = image.copy()
    changed[:, :, 8] += 1.0  # in the patches that begin at 4 and 8
    difference = np.abs(compiled(model.apply)(variables, changed) - compiled(model.apply)(variables, image)).max((0, 1, 3))
    assert (difference[4:16] > 0).all()
    assert (difference[:4] == 0).all()
    assert (difference[16:] == 0).all()


def test_the_bottleneck_of_the_on_demand_network_connects_all_places():
    model = OnDemandNet(4, 1, 32)
    image = np.random.default_rng(0).random((1, 32, 32, 1), np.float32)
    variables = initialise(model, jax.random.key(0), image)
    variables["params"] = jittered(variables["params"])
    corner = compiled(jax.grad(lambda x: model.apply(variables, x)[0, 0, 0, 0]))(image)
    assert np.abs(corner[0, 31]).max() > 0
    variables["params"]["bottleneck"]["kernel"] = np.broadcast_to(np.eye(4, dtype=np.float32), (32, 4, 4))
    corner = compiled(jax.grad(lambda x: model.apply(variables, x)[0, 0, 0, 0]))(image)
    assert np.abs(corner[0, 31]).max() == 0  # what the convolutions alone let the corner see ends at pixel 30
    with pytest.raises(InputError, match="patch is 40"):
        OnDemandNet(patch=40).init(jax.random.key(0), image)
