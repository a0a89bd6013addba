"""Denoisers: equal to their references, and what each of them must keep."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.dpdnn import DPDNN
from jaxrestore.models.restoration.drunet import DRUNet
from jaxrestore.models.restoration.fdncnn import FDnCNN
from jaxrestore.models.restoration.ffdnet import FFDNet, from_matlab
from jaxrestore.models.restoration.ircnn import IRCNN, IRCNNSet, level_index
from jaxrestore.models.restoration.rednet import REDNet
from jaxrestore.models.restoration.restoration_resnet import RestorationResNet
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.symmetric_skips import symmetric_skips
from jaxrestore.ops.pixel_shuffle import pixel_unshuffle
from jaxrestore.weights import from_reference, to_reference
from jaxrestore.weights.contents import Layer
from jaxrestore.weights.layouts import from_layers
from jaxrestore.weights.reference import expected_tensors
from jaxrestore.weights.torch_file import state_of
from tests.compiled import compiled
from tests.models.zoo import cases, check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden

REFERENCES: dict[str, Callable[[dict], nn.Module]] = {
    "fdncnn-gray": lambda c: FDnCNN(c["nb"], c["nc"], c["out_nc"]),
    "ffdnet-*": lambda c: FFDNet(c["nb"], c["nc"], c["in_nc"]),
    "ircnn-*": lambda c: IRCNN(c["nc"], c["in_nc"]),
    "drunet-colour": lambda c: DRUNet(tuple(c["nc"]), c["nb"], c["out_nc"]),
    "rednet10": lambda c: REDNet(c["num_layers"], c["num_features"], 3, skip_every=0, stride=2, positive=True),
    "rednet[23]0": lambda c: REDNet(c["num_layers"], c["num_features"], 3, stride=2, positive=True),
    "resnet-restorer": lambda c: RestorationResNet(c["n_feats"], c["n_resblocks"], c["kernel_size"]),
    "dpdnn-*": lambda c: DPDNN(features=8, shared_downsampling=not c["fixed"]),
}


@pytest.mark.parametrize(("golden", "build"), cases(REFERENCES))
def test_equals_reference(golden: Golden, build: Callable):
    model = build(golden.constructor)
    inputs = [golden.input]
    if "sigma" in golden.tensors:
        inputs.append(np.moveaxis(golden.tensors["sigma"], 1, -1))
    elif isinstance(model, FDnCNN | DRUNet):  # the map is the last channel of their input
        inputs = [golden.input[..., :-1], golden.input[..., -1:]]
    check_equals_reference(model, golden, *inputs)


SMALL: dict[str, nn.Module] = {
    "fdncnn": FDnCNN(4, 8, 3),
    "ffdnet": FFDNet(4, 8, 3),
    "ircnn": IRCNN(6, 1),
    "ircnn set": IRCNNSet(4, 1, 2),
    "ircnn with normalisation": IRCNN(6, 1, (1, 2, 3, 1), norm=True),
    "drunet": DRUNet((4, 6), 1),
    "rednet": REDNet(4, 6, 1),
    "rednet with strides": REDNet(4, 6, 3, stride=2, positive=True),
    "resnet": RestorationResNet(6, 2, global_residual=True),
    "dpdnn": DPDNN(1, 4),
}
UNUSED = {"ircnn set": ("level_0",), "dpdnn": ("unet/down_2", "unet/down_3")}


@pytest.mark.parametrize("name", SMALL)
def test_any_size_batch_and_precision(name: str):
    model = SMALL[name]
    inputs = random_inputs(model)
    assert check_alone_as_together(model, inputs).shape == inputs[0].shape


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    model = SMALL[name]
    check_every_parameter_learns(model, random_inputs(model, height=6, width=8), unused=UNUSED.get(name, ()))


@pytest.mark.parametrize("name", ["fdncnn", "ffdnet", "drunet"])
def test_the_noise_level_matters_and_is_checked(name: str):
    model = SMALL[name]
    image, level = random_inputs(model)
    variables = initialise(model, jax.random.key(0), image)  # an image alone gives the shapes
    apply = compiled(model.apply)
    assert not np.allclose(apply(variables, image, level), apply(variables, image, 2 * level), atol=1e-3)
    uniform = np.full((2, 1, 1, 1), 0.1, np.float32)
    np.testing.assert_allclose(apply(variables, image, uniform), apply(variables, image, np.broadcast_to(uniform, level.shape)), atol=1e-6)
    with pytest.raises(InputError, match="noise_level is missing"):
        model.apply(variables, image)
    with pytest.raises(InputError, match=r"noise_level has the shape .*: it must be"):
        model.apply(variables, image, level[:, 1:])


def test_the_matlab_order_of_sub_images():
    """The same network whose sub-images are counted down the columns, written out, gives what the weights in our order give."""
    model, random = FFDNet(2, 6, 3), np.random.default_rng(0)
    layers = [Layer(random.standard_normal((3, 3, a, b), np.float32), random.standard_normal(b, np.float32)) for a, b in ((13, 6), (6, 12))]
    image, level = random.random((1, 6, 8, 3), np.float32), np.full((1, 6, 8, 1), 0.1, np.float32)

    def columns_first(image):
        return np.stack([image[:, i::2, j::2, c] for c in range(3) for j in range(2) for i in range(2)], -1)

    variables = from_layers(model, layers)
    first, last = variables["params"]["conv_0"], variables["params"]["conv_1"]
    ours = np.concatenate([pixel_unshuffle(image, 2), level[:, ::2, ::2]], -1)
    theirs = np.concatenate([columns_first(image), level[:, ::2, ::2]], -1)
    np.testing.assert_allclose(
        np.einsum("nhwc,ijcf->nhwijf", ours, first["kernel"]), np.einsum("nhwc,ijcf->nhwijf", theirs, layers[0].kernel), atol=1e-5
    )
    hidden = random.random((1, 5, 4, 3, 6), np.float32)
    made = np.einsum("nhwac,ijcf->nhwaijf", hidden, last["kernel"]) + last["bias"]
    expected = np.einsum("nhwac,ijcf->nhwaijf", hidden, layers[1].kernel) + layers[1].bias
    order = [c * 4 + j * 2 + i for c in range(3) for i in range(2) for j in range(2)]
    np.testing.assert_allclose(made, expected[..., order], atol=1e-5)
    again = from_matlab(model, from_matlab(model, [(layer.kernel, layer.bias) for layer in layers]))
    np.testing.assert_array_equal(again[0][0], layers[0].kernel)


def test_a_set_takes_the_network_of_each_image():
    """From a file of numbered states, as the authors' holds them."""
    single, whole = IRCNN(4, 1), IRCNNSet(4, 1, 3)
    image = np.random.default_rng(0).random((4, 6, 7, 1), np.float32)
    networks = [initialise(single, jax.random.key(i), image) for i in range(3)]
    state = state_of({str(i): to_reference(single, variables) for i, variables in enumerate(networks)})
    variables = from_reference(whole, state)
    level = np.array([2.0, 6.0, 3.1, 75.0], np.float32).reshape(4, 1, 1, 1) / 255
    together = compiled(whole.apply)(variables, image, level)
    for i, number in enumerate((0, 2, 1, 2)):
        alone = compiled(single.apply)(networks[number], image[i : i + 1])
        np.testing.assert_allclose(together[i : i + 1], alone, atol=1e-6)


def test_which_network_of_the_set_a_level_takes():
    assert [level_index(sigma) for sigma in (0, 1, 2, 2.1, 25, 49, 50, 75)] == [0, 0, 0, 1, 12, 24, 24, 24]
    with pytest.raises(InputError, match="sigma"):
        level_index(-1)


def test_skips_are_symmetric():
    """Layer j of the decoder gets what layer depth - j of the encoder gave."""
    assert symmetric_skips(10, 2) == {2: 8, 4: 6, 6: 4, 8: 2}
    assert symmetric_skips(15, 2) == {1: 14, 3: 12, 5: 10, 7: 8, 9: 6, 11: 4, 13: 2}
    assert symmetric_skips(5, 0) == {}
    with pytest.raises(InputError, match="depth is 1"):
        symmetric_skips(1, 2)
    with pytest.raises(InputError, match="stride is 0"):
        REDNet(stride=0).init(jax.random.key(0), jnp.zeros((1, 4, 4, 1)))


def test_dpdnn_without_its_denoiser_mixes_with_the_observation():
    """Where the U-Net gives nothing, each step's weights sum to one, and the image stays what it was."""
    model = DPDNN(3, 4)
    image = np.random.default_rng(0).random((1, 16, 16, 1), np.float32)
    variables = initialise(model, jax.random.key(0), image)
    variables["params"]["unet"]["tail"] = jax.tree.map(jnp.zeros_like, variables["params"]["unet"]["tail"])
    np.testing.assert_allclose(compiled(model.apply)(variables, image), image, atol=1e-6)
    assert [float(variables["params"][f"{name}_3"]) for name in ("delta", "eta")] == [np.float32(0.1), np.float32(0.9)]


def test_dpdnn_as_its_tensorflow_code_computes_it():
    """TensorFlow's padding and its transposed convolution, which is the gradient of a convolution, with its names and layouts."""
    model = DPDNN(2, 3, tensorflow=True)
    random = np.random.default_rng(0)
    shapes = expected_tensors(model)
    assert shapes["bloclk/Decoding_2/upsampling/kernel"] == (3, 3, 3, 3)
    assert shapes["bloclk/Encoding_3/down_sampling/weights"] == (3, 3, 3, 3)
    assert shapes["bloclk/Encoding_0/f_c_1/weights"] == (3, 3, 1, 3)
    state = {name: np.asarray(random.standard_normal(shape) / 3, np.float32) for name, shape in shapes.items()}

    def conv(x, name, strides=1, activation=jax.nn.relu):
        y = tensorflow_convolution(x, state[f"bloclk/{name}/weights"], strides)
        return activation(y + state[f"bloclk/{name}/biases"].reshape(1, 1, 1, -1))

    def network(y):
        x = y
        for step in (1, 2):
            value, skips = x, []
            for level in range(4):
                for i in (1, 2, 3):
                    value = conv(value, f"Encoding_{level}/f_c_{i}")
                skips.append(value)
                value = conv(value, f"Encoding_{level}/down_sampling", 2)
            value = conv(value, "Encoding_end/feature_extraction_end")
            for level in (3, 2, 1, 0):
                kernel = state[f"bloclk/Decoding_{level}/upsampling/kernel"]
                # (height, width, out, in): the kernel of the convolution whose gradient this is.
                _, gradient = jax.vjp(lambda z, k=kernel: tensorflow_convolution(z, k, 2), jnp.zeros_like(skips[level]))
                value = conv(jnp.concatenate([gradient(value)[0], skips[level]], -1), f"Decoding_{level}/down_channal")
                for i in (1, 2, 3, 4):
                    value = conv(value, f"Decoding_{level}/f_dc_{i}")
            v = x + conv(value, "end/f_dc_4", activation=lambda z: z)
            delta, eta = state[f"recon_{step}/delta"], state[f"recon_{step}/eta"]
            x = (1 - delta - eta) * v + eta * x + delta * y
        return x

    image = random.random((1, 32, 16, 1), np.float32)
    variables = from_reference(model, state)
    expected = np.asarray(compiled(network)(image))
    np.testing.assert_allclose(compiled(model.apply)(variables, image), expected, atol=1e-5 * np.abs(expected).max())
    for name, value in to_reference(model, variables).items():
        np.testing.assert_array_equal(value, state[name], err_msg=name)


def tensorflow_convolution(x, kernel, strides):
    return jax.lax.conv_general_dilated(x, kernel, (strides, strides), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
