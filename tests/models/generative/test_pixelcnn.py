"""Autoregressive networks: equal to their references, blind to all later values, drawn from fast as slowly, faithful to known pixels."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.pixel_recursive import sample_naively
from jaxrestore.errors import InputError
from jaxrestore.inference.receptive_field import receptive_field
from jaxrestore.models.generative.gated_pixelcnn import GatedPixelCNN
from jaxrestore.models.generative.pixel_recursive import PixelRecursive
from jaxrestore.models.generative.pixelcnn import PixelCNN
from jaxrestore.models.generative.residual_pixelcnn import ResidualPixelCNN
from jaxrestore.models.inputs import example_inputs, side_inputs
from jaxrestore.nn.autoregression import row_noise, sample
from jaxrestore.nn.gated_pixels import GatedPixels
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.masked_conv import MaskedConv, causal_mask, dealt
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns
from tests.parity.golden import goldens

SMALL = {
    "pixelcnn": PixelCNN(features=5, depth=3, kernel_size=5, levels=4),
    "pixelcnn_rgb": PixelCNN(features=7, depth=2, kernel_size=3, levels=4, channels=3),
    "residual": ResidualPixelCNN(features=4, blocks=1, hidden=6, levels=3, channels=3),
    "gated": GatedPixelCNN(features=6, layers=2, causal_kernel_size=5, kernel_size=3, hidden=7, levels=4, classes=3),
    "prior": GatedPixels(features=4, layers=1, causal_kernel_size=3, kernel_size=3, hidden=5, levels=3, classes=0),
}
RESTORER = PixelRecursive(1, 4, 1, prior_features=5, prior_layers=1, prior_hidden=6, levels=8)


def inputs(model, count: int = 2, height: int = 4, width: int = 5) -> tuple:
    images = np.random.default_rng(1).integers(0, model.levels, (count, height, width, model.channels)) / np.float32(model.levels - 1)
    label = (jnp.arange(count) % model.classes,) if getattr(model, "classes", 0) else ()
    return (images.astype(np.float32), *label)


def started(model, *arguments, jitter: float = 0.3, **keywords):
    """Initial variables made unlike each other, statistics too."""
    random = np.random.default_rng(5)
    variables = initialise(model, jax.random.key(0), *arguments, **keywords)
    return jax.tree.map(lambda x: x + jitter * np.abs(random.standard_normal(x.shape, np.float32)), variables)


@pytest.mark.parametrize("golden", goldens("restoration/pixelcnn-plain"), ids=str)
def test_plain_equals_the_reference(golden):
    theirs = golden.constructor
    model = PixelCNN(theirs["fm"], theirs["masked_layers"], levels=theirs["levels"])
    variables, _ = check_equals_reference(model, golden, after=lambda logits: logits[..., 0, :])
    # What the sum of the logits at (5, 7) depends on: every pixel before it but those in the blind spot.
    gradient = jax.jit(jax.grad(lambda image: jnp.sum(model.apply(variables, image)[0, 5, 7])))(golden.input)
    expected = np.moveaxis(golden.tensors["causal_grad_at_5_7"], 1, -1)
    np.testing.assert_allclose(gradient, expected, atol=20 * golden.description["f32_vs_f64_max_abs"]["output"])
    np.testing.assert_array_equal(gradient != 0, expected != 0)
    assert not gradient[0, 4, 11:].any()
    assert gradient[0, 4, :11].all()


@pytest.mark.parametrize("golden", goldens("restoration/pixelcnn-gated-conditional"), ids=str)
def test_gated_equals_the_reference(golden):
    c = golden.constructor
    model = GatedPixelCNN(
        c["hidden_fmaps"], c["hidden_layers"], c["causal_ksize"], c["hidden_ksize"], c["out_hidden_fmaps"], c["color_levels"]
    )
    expected = np.moveaxis(golden.tensors["output"], (1, 2), (-1, -2))
    check_equals_reference(model, golden, golden.input, golden.tensors["label"], expected=expected)


@pytest.mark.parametrize("name", SMALL)
def test_no_value_depends_on_itself_or_a_later_one(name):
    model = SMALL[name]
    image, *label = inputs(model, 1, 4, 5)
    variables = started(model, image, *label)
    weights = jnp.asarray(np.random.default_rng(2).standard_normal(model.levels), jnp.float32)
    told = compiled(jax.jacrev(lambda image: model.apply(variables, image, *label) @ weights))(image)
    order = np.asarray(told).reshape(image.size, image.size)  # value by value in raster order, channels innermost
    np.testing.assert_array_equal(np.triu(order), 0.0)
    assert np.count_nonzero(order) > 2 * image.size


@pytest.mark.parametrize("name", SMALL)
def test_fast_draws_what_the_whole_network_draws(name):
    model = SMALL[name]
    image, *label = inputs(model)
    variables, key = started(model, image, *label), jax.random.key(4)
    shape = (2, 4, 5, model.channels, model.levels)
    more = np.random.default_rng(4).standard_normal(shape).astype(np.float32)
    mask = np.random.default_rng(3).random((2, 4, 5, 1)) < 0.7
    fast, slow = (
        compiled(lambda mask, added, t, way=way: way(model, variables, key, image, mask, *label, logits=added, temperature=t))
        for way in (sample, sample_naively)
    )
    for given, logits, temperature in ((np.ones_like(mask), np.zeros_like(more), 1.0), (mask, more, 0.8), (mask, more, 0.0)):
        drawn = fast(given, logits, temperature)
        np.testing.assert_allclose(drawn, slow(given, logits, temperature), atol=1e-6)
        np.testing.assert_array_equal(np.where(given, 0, drawn), np.where(given, 0, image))
        assert len(np.unique(drawn)) > 1


def test_draws_have_the_distribution_of_the_logits():
    noise = row_noise(jax.random.key(0), jnp.int32(0), (400, 10, 1, 3))
    logits = jnp.log(jnp.array([0.2, 0.5, 0.3]))
    drawn = jnp.argmax(noise + logits.reshape(1, 1, 1, -1), -1)
    shares = [float(jnp.mean(drawn == level)) for level in range(3)]
    np.testing.assert_allclose(shares, [0.2, 0.5, 0.3], atol=0.03)


@pytest.mark.parametrize("name", ["pixelcnn", "residual", "gated"])
def test_alone_as_together_and_learns(name):
    model = SMALL[name]
    check_alone_as_together(model, inputs(model, 2, 7, 6))
    unused = ("block_2/h_fc",) if name == "gated" else ()  # the last layer's h is not looked at, only its share in the sum
    check_every_parameter_learns(model, inputs(model, 4, 7, 6), unused)


def test_a_mask_by_hand():
    kernel = np.arange(1.0, 10.0, dtype=np.float32).reshape(3, 3, 1, 1)
    image = np.zeros((1, 3, 3, 1), np.float32)
    image[0, 1, 1] = 1.0
    for strict, middle in ((True, 0.0), (False, 5.0)):
        layer = MaskedConv(1, (3, 3), strict, use_bias=False)
        result = layer.apply({"params": {"kernel": kernel}}, image)[0, :, :, 0]
        np.testing.assert_array_equal(result, [[0, 0, 0], [0, middle, 4], [3, 2, 1]])
    assert dealt(8, 3, 2) == (0, 1, 2, 0, 0, 1, 2, 0)
    np.testing.assert_array_equal(causal_mask((1, 1), (0, 1, 2), (0, 1), False)[0, 0], [[1, 1], [0, 1], [0, 0]])
    np.testing.assert_array_equal(causal_mask((1, 1), (0, 1, 2), (0, 1), True)[0, 0], [[0, 1], [0, 0], [0, 0]])


def test_the_restorer_draws_from_both_networks():
    image, *_ = inputs(RESTORER)
    variables = started(RESTORER, image, jitter=0.1)
    mask = np.random.default_rng(3).random((2, 4, 5, 1)) < 0.5
    restore = compiled(lambda v, i, m, k: RESTORER.apply(v, i, m, rngs={"noise": k}))
    drawn, other = (restore(variables, image, mask, jax.random.key(seed)) for seed in (0, 1))
    chex.assert_trees_all_equal(np.where(mask, 0, drawn), np.where(mask, 0, image))
    assert np.any(drawn != other)
    np.testing.assert_allclose(drawn * 7, np.round(drawn * 7), atol=1e-5)
    # Greedy: the first value is the most probable one under both, and the whole is what the whole networks choose.
    greedy = compiled(RESTORER.apply)(variables, image)
    both, told = RESTORER.apply(variables, image, greedy, method="distributions")
    np.testing.assert_allclose(np.argmax(both, -1) / 7, greedy, atol=1e-6)
    assert np.any(np.argmax(told, -1) != np.argmax(both, -1))


def test_the_restorer_is_never_cut_into_tiles():
    assert receptive_field(RESTORER, {}, 3).is_global
    assert side_inputs(RESTORER) == ("mask",)
    assert side_inputs(RESTORER.clone(scale=4)) == ()
    assert [x.shape for x in example_inputs(SMALL["gated"])] == [(1, 32, 32, 3), (1,)]


def test_the_restorer_learns_and_enlarges():
    image, *_ = inputs(RESTORER)
    model = RESTORER.clone(scale=4)
    large = np.repeat(np.repeat(image, 4, 1), 4, 2)
    variables = started(model, image[:1, :2, :2], jitter=0.05)
    assert compiled(model.apply)(variables, image[:1, :2, :2]).shape == (1, 8, 8, 3)

    variables = started(model, image)

    def loss(params):
        variables_ = {**variables, "params": params}
        both, told = model.apply(variables_, image, large, method="distributions")
        return jnp.mean(jnp.square(both[..., ::2])) + jnp.mean(jnp.square(told))

    gradient = compiled(jax.grad(loss))(variables["params"])
    del gradient["prior"]["block_1"]["h_fc"]
    assert all(leaf.any() for leaf in jax.tree.leaves(gradient))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SMALL["gated"].apply(started(SMALL["gated"], *inputs(SMALL["gated"])), inputs(SMALL["gated"])[0]), "label is missing"),
        (lambda: sample(SMALL["gated"], {}, jax.random.key(0), jnp.zeros((1, 2, 2, 3))), "label is missing"),
        (lambda: sample(SMALL["prior"], {}, jax.random.key(0), jnp.zeros((1, 2, 2, 1))), "image has 1 channels"),
        (lambda: RESTORER.clone(scale=3).init(jax.random.key(0), jnp.zeros((1, 4, 4, 3))), "scale is 3"),
        (lambda: RESTORER.clone(temperature=-1.0).init(jax.random.key(0), jnp.zeros((1, 4, 4, 3))), "temperature is -1"),
        (lambda: RESTORER.clone(scale=2).init(jax.random.key(0), jnp.zeros((1, 4, 4, 3)), jnp.ones((1, 4, 4, 1))), "mask is given"),
        (lambda: MaskedConv(2, (2, 3)).init(jax.random.key(0), jnp.zeros((1, 4, 4, 3))), r"kernel_size is \(2, 3\)"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
