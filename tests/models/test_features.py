"""VGG, AlexNet and SqueezeNet against torchvision's structure: names, counts, and the same numbers from SciPy's correlations."""

from functools import cache

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import correlate

from jaxrestore.errors import InputError
from jaxrestore.models.features import alexnet, squeezenet, vgg
from jaxrestore.nn.imagenet import DEVIATION, MEAN, standardise
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference, load_weights, to_reference
from jaxrestore.weights.reference import expected_tensors
from tests.weights.torch_bytes import write_arrays

# torchvision's `features`, layer by layer: (channels, window, step, border) of a convolution, which a ReLU follows; "M" for a pooling.
_PLAIN = {16: "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M"}
_PLAIN[19] = _PLAIN[16].replace("256 256 256", "256 256 256 256").replace("512 512 512", "512 512 512 512")
SEQUENCES = {depth: [part if part == "M" else (int(part), 3, 1, 1) for part in text.split()] for depth, text in _PLAIN.items()}
SEQUENCES["alexnet"] = [(64, 11, 4, 2), "M", (192, 5, 1, 2), "M", (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1)]
NETWORKS = {
    16: (vgg.VGG(16, ("conv1_1", "pool2", "relu5_3"), channel_divisor=32), {0, 9, 29}),
    19: (vgg.VGG(19, ("relu1_2", "conv5_4"), channel_divisor=32), {3, 34}),
    "alexnet": (alexnet.AlexNet(channel_divisor=32), {1, 4, 7, 9, 11}),
}
COUNTS = {16: (vgg.VGG(16), 14_714_688), 19: (vgg.VGG(19), 20_024_384), "alexnet": (alexnet.AlexNet(), 2_469_696)}


@cache
def case(name):
    """A narrow network with biases, its state in torchvision's names, and an image."""
    model = NETWORKS[name][0]
    image = np.random.default_rng(0).uniform(size=(2, 37, 43, 3)).astype(np.float32)
    variables = initialise(model, jax.random.key(1), image)
    variables = jax.tree.map(lambda leaf: leaf + 0.1 if leaf.ndim == 1 else leaf, variables)
    return model, variables, to_reference(model, variables), image


def by_hand(sequence, state, image, wanted) -> list[np.ndarray]:
    """What torchvision's `features` gives after the layers of these numbers, by SciPy in float64, NCHW."""
    pool = 2 if len(sequence) > 12 else 3
    x = (image.astype(np.float64) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    x, found, place = np.moveaxis(x, -1, 1), {}, 0
    for layer in sequence:
        if layer == "M":
            x = np.lib.stride_tricks.sliding_window_view(x, (pool, pool), (2, 3))[:, :, ::2, ::2].max((-1, -2))
        else:
            _, _, step, border = layer
            x = np.pad(x, ((0, 0), (0, 0), (border,) * 2, (border,) * 2))
            weight, bias = state[f"features.{place}.weight"], state[f"features.{place}.bias"]
            channels = [correlate(one, kernel, "valid")[0] + b for one in x for kernel, b in zip(weight, bias, strict=True)]
            x = np.stack(channels).reshape(len(x), len(weight), *channels[0].shape)[:, :, ::step, ::step]
            found[place] = x
            x, place = np.maximum(x, 0.0), place + 1
        found[place] = x
        place += 1
    return [found[number] for number in sorted(wanted)]


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torchvisions_layers(name):
    model, variables, state, image = case(name)
    features = jax.jit(model.apply)(variables, image)
    for ours, theirs in zip(features, by_hand(SEQUENCES[name], state, image, NETWORKS[name][1]), strict=True):
        np.testing.assert_allclose(np.moveaxis(ours, -1, 1), theirs, atol=2e-5 * np.abs(theirs).max(), rtol=0)
        assert np.ptp(theirs) > 0.1  # neither constant nor dead


@pytest.mark.parametrize("name", COUNTS)
def test_torchvisions_names_and_number_of_parameters(name):
    model, count = COUNTS[name]
    names, channels, place = {}, 3, 0
    for layer in SEQUENCES[name]:
        if layer != "M":
            names[f"features.{place}.weight"] = (layer[0], channels, layer[1], layer[1])
            names[f"features.{place}.bias"] = (layer[0],)
            channels = layer[0]
        place += 1 if layer == "M" else 2
    assert expected_tensors(model) == names
    assert sum(int(np.prod(shape)) for shape in names.values()) == count


def squeezenet_by_hand(state, image) -> list[np.ndarray]:
    """What LPIPS compares of torchvision's `squeezenet1_1`, by SciPy in float64, NCHW."""

    def conv(name, x, step=1):
        weight, bias = state[f"features.{name}.weight"], state[f"features.{name}.bias"]
        border = weight.shape[-1] // 2 if step == 1 else 0
        x = np.pad(x, ((0, 0), (0, 0), (border,) * 2, (border,) * 2))
        return np.stack([[correlate(one, k, "valid")[0] + b for k, b in zip(weight, bias, strict=True)] for one in x])[:, :, ::step, ::step]

    def pool(x):
        x = np.pad(x, ((0, 0), (0, 0), (0, 1 - x.shape[2] % 2), (0, 1 - x.shape[3] % 2)), constant_values=-np.inf)
        return np.lib.stride_tricks.sliding_window_view(x, (3, 3), (2, 3))[:, :, ::2, ::2].max((-1, -2))

    x = np.moveaxis((image.astype(np.float64) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], -1, 1)
    found = {}
    for place in range(13):
        if place == 0:
            x = conv(0, x, step=2)
        elif place == 1:
            x = np.maximum(x, 0)
        elif place in (2, 5, 8):
            x = pool(x)
        else:
            x = np.maximum(conv(f"{place}.squeeze", x), 0)
            x = np.maximum(np.concatenate([conv(f"{place}.expand1x1", x), conv(f"{place}.expand3x3", x)], 1), 0)
        found[place] = x
    return [found[place] for place in (1, 4, 7, 9, 10, 11, 12)]


def test_squeezenet_equals_torchvisions_layers():
    model = squeezenet.SqueezeNet(channel_divisor=8)
    image = np.random.default_rng(0).uniform(size=(1, 37, 43, 3)).astype(np.float32)  # every pooling meets odd and even sides
    variables = jax.tree.map(lambda leaf: leaf + 0.1 if leaf.ndim == 1 else leaf, initialise(model, jax.random.key(1), image))
    for ours, theirs in zip(jax.jit(model.apply)(variables, image), squeezenet_by_hand(to_reference(model, variables), image), strict=True):
        np.testing.assert_allclose(np.moveaxis(ours, -1, 1), theirs, atol=2e-5 * np.abs(theirs).max(), rtol=0)
        assert np.ptp(theirs) > 0.1
    shapes = expected_tensors(squeezenet.SqueezeNet())
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 722_496
    assert shapes["features.12.expand3x3.weight"] == (256, 64, 3, 3)
    with pytest.raises(InputError, match="SqueezeNet needs 25x25 pixels"):
        model.apply(variables, image[:, :24])
    assert model.apply(variables, image[:, :25, :25])[-1].shape == (1, 1, 1, 64)
    with pytest.raises(InputError, match=r"SqueezeNet has no layer \['fire1'\]"):
        squeezenet.SqueezeNet(("fire1",)).apply(variables, image)


def test_weights_load_from_torchvisions_file_without_the_classifier(tmp_path):
    model, variables, state, _ = case(16)
    path = write_arrays(tmp_path / "vgg16.pth", {**state, "classifier.0.weight": np.zeros((2, 3), np.float32)})
    chex.assert_trees_all_equal(load_weights(path, model).variables, variables)
    with pytest.raises(InputError, match=r"features\.28\.bias"):
        from_reference(model, {name: value for name, value in state.items() if name != "features.28.bias"})


def test_standardising_is_the_scaling_layer_of_lpips():
    image = np.random.default_rng(1).uniform(size=(4, 5, 3)).astype(np.float32)
    theirs = (2.0 * image - 1.0 - np.array([-0.030, -0.088, -0.188])) / np.array([0.458, 0.448, 0.450])
    np.testing.assert_allclose(standardise(image), theirs, atol=1e-6)
    np.testing.assert_allclose(standardise(np.array(MEAN, np.float32).reshape(1, 1, 3)), np.zeros((1, 1, 3)), atol=1e-7)
    gray = standardise(image[..., :1])
    np.testing.assert_allclose(gray[0, 0], (image[0, 0, 0] - np.array(MEAN)) / np.array(DEVIATION), atol=1e-6)


def test_computes_no_further_than_asked():
    model, variables, _, image = case(16)
    first = vgg.VGG(16, ("conv1_1",), channel_divisor=32)
    tiny = first.apply(variables, image[:, :1, :1])  # deeper layers would have no pixel left
    chex.assert_shape(tiny[0], (2, 1, 1, 2))
    chex.assert_trees_all_close(first.apply(variables, image), (model.apply(variables, image)[0],))


def test_half_precision_and_gradient():
    model, variables, _, image = case(16)
    half = model.clone(layers=("pool1",), dtype=jnp.bfloat16)
    assert half.apply(variables, image)[0].dtype == jnp.bfloat16
    shallow = model.clone(layers=("pool1",))
    gradient = jax.jit(jax.grad(lambda x: jnp.mean(jnp.square(shallow.apply(variables, x)[0]))))(image)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


def test_what_is_refused():
    model, variables, _, image = case(16)
    with pytest.raises(InputError, match="needs 16x16 pixels for relu5_3, got the shape"):
        model.apply(variables, image[:, :15])
    with pytest.raises(InputError, match=r"VGG-16 has no layer \['relu6_1'\]: its layers are conv1_1"):
        vgg.VGG(16, ("relu6_1",)).apply(variables, image)
    with pytest.raises(InputError, match="depth is 11: it must be one of 16, 19"):
        vgg.VGG(11).apply(variables, image)
    with pytest.raises(InputError, match="of 3 channels or 1"):
        model.apply(variables, image[..., :2])
    narrow, weights, _, _ = case("alexnet")
    with pytest.raises(InputError, match="AlexNet needs 31x31 pixels"):
        narrow.apply(weights, image[:, :, :30])
    chex.assert_shape(narrow.apply(weights, image[:, :31, :31])[-1], (2, 1, 1, 8))
    with pytest.raises(InputError, match=r"AlexNet has no layer \['conv6'\]"):
        alexnet.AlexNet(("conv6",)).apply(weights, image)
