"""U-Net and its kin against their references, and what each of them alone promises."""

from functools import partial

import chex
import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.attention_unet import AttentionUNet
from jaxrestore.models.restoration.babyunet import BabyUNet
from jaxrestore.models.restoration.neighbor2neighbor import Neighbor2NeighborUNet
from jaxrestore.models.restoration.noise2noise import Noise2NoiseUNet
from jaxrestore.models.restoration.noise2noise_shared import SharedNoise2NoiseUNet
from jaxrestore.models.restoration.noise2self import Noise2SelfUNet
from jaxrestore.models.restoration.noise2void import Noise2VoidUNet
from jaxrestore.models.restoration.unet import UNet
from jaxrestore.nn.attention_gates import GridAttentionGate, grid_attention_gate_names
from jaxrestore.nn.initialise import initialise
from jaxrestore.ops.blind_spots import restore_hidden
from jaxrestore.weights import from_reference
from tests.compiled import compiled
from tests.models.zoo import cases, check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens

MODELS: dict[str, nn.Module] = {
    "unet-transposed": UNet(4),
    "unet-bilinear": UNet(4, upsampling="bilinear"),
    "unet-nearest": UNet(4, upsampling="nearest"),
    "attention-unet": AttentionUNet(4),
    "n2n-unet-neighbor2neighbor": Neighbor2NeighborUNet(6, 12),
    "n2n-unet-neighbor2neighbor-blindspot": Neighbor2NeighborUNet(6, 12, blind_spot=True),
    "noise2self-babyunet": BabyUNet(4),
    "noise2self-unet": Noise2SelfUNet((4, 8, 16, 32)),
}
SMALL: dict[str, nn.Module] = {
    "unet": UNet(4, levels=1, classes=2),
    "unet_bilinear": UNet(4, levels=2, upsampling="bilinear", residual=True),
    "unet_nearest": UNet(4, levels=1, upsampling="nearest", channels=1),
    "attention_unet": AttentionUNet(4, levels=1, residual=True),
    "noise2noise": Noise2NoiseUNet(4, (6, 4), levels=2),
    "noise2noise_shared": SharedNoise2NoiseUNet(4, (6, 4), levels=3),
    "neighbor2neighbor": Neighbor2NeighborUNet(4, 6, levels=1),
    "blind_spot_unet": Neighbor2NeighborUNet(4, 6, levels=1, blind_spot=True),
    "babyunet": BabyUNet(4, channels=3),
    "noise2self": Noise2SelfUNet((4, 6)),
    "noise2void": Noise2VoidUNet(4, levels=1, residual=True),
    "noise2void_single_channel": Noise2VoidUNet(4, levels=1, single_channel=True, norm=False, channels=2),
}


@pytest.mark.parametrize(("golden", "model"), cases(MODELS))
def test_equals_reference(golden: Golden, model: nn.Module):
    check_equals_reference(model, golden)


@pytest.mark.parametrize("golden", goldens("restoration/noise2noise-unet-tf-original"), ids=str)
def test_equals_the_tensorflow_graph(golden: Golden):
    # The reference's own noise was not measured: float noise of the same kind as the others'.
    model = Noise2NoiseUNet(6, (8, 4))
    check_equals_reference(model, golden, golden.input + np.float32(0.5), tolerance=2e-5, after=lambda x: x - 0.5)


@pytest.mark.parametrize("golden", goldens("restoration/noise2self-babyunet"), ids=str)
@pytest.mark.parametrize("mode", ["interpolate", "zero"])
def test_restoring_every_pixel_from_the_others_alone(golden: Golden, mode: str):
    model = BabyUNet(4)
    variables = from_reference(model, golden.state)
    restored = restore_hidden(compiled(lambda x: model.apply(variables, x)), golden.input, 4, mode == "interpolate")
    np.testing.assert_allclose(restored, np.moveaxis(golden.tensors[f"infer_full.{mode}"], 1, -1), atol=golden.tolerance)


class Gate(nn.Module):
    """A network that is a gate and nothing else."""

    hidden: int
    features: int
    gate_features: int

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct, ...]:
        shape = partial(jax.ShapeDtypeStruct, dtype=jnp.float32)
        return shape((1, 16, 24, self.features)), shape((1, 8, 12, self.gate_features))

    @nn.compact
    def __call__(self, features: jax.Array, gate: jax.Array, train: bool = False) -> tuple[jax.Array, jax.Array]:
        return GridAttentionGate(self.hidden, name="gate")(features, gate, train)


def reference_names(model: Gate) -> dict[str, str]:
    names = grid_attention_gate_names("gate", "")
    return {ours: theirs.removeprefix(".") for ours, theirs in names.items()}


@pytest.mark.parametrize("golden", goldens("restoration/block-grid-attention-gate"), ids=str)
def test_grid_attention_gate(golden: Golden):
    gate = np.moveaxis(golden.tensors["g"], 1, -1)
    _, (_, attention) = check_equals_reference(Gate(6, 8, 12), golden, golden.input, gate, after=lambda found: found[0])
    tolerance = 20 * golden.description["f32_vs_f64_max_abs"]["attention"]
    np.testing.assert_allclose(attention, np.moveaxis(golden.tensors["attention"], 1, -1), atol=tolerance)


@pytest.mark.parametrize("name", SMALL)
def test_any_size_and_alone_as_together(name: str):
    model = SMALL[name]
    images = random_inputs(model)[0]
    restored = check_alone_as_together(model, (images,))
    chex.assert_shape(restored, (*images.shape[:3], getattr(model, "classes", None) or model.channels))


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    model = SMALL[name]
    check_every_parameter_learns(model, random_inputs(model, height=8, width=12))


def seen(model: nn.Module, height: int, width: int) -> np.ndarray:
    """[row, column] of the image, [row, column] of the result: the derivative, exactly 0 where nothing is seen."""
    images = np.repeat(random_inputs(model, 1, height, width)[0], height * width, 0)
    tangents = np.eye(height * width, dtype=np.float32).reshape(-1, height, width, 1)
    variables = initialise(model, jax.random.key(0), images)
    _, derivative = compiled(lambda x, t: jax.jvp(lambda y: model.apply(variables, y), (x,), (t,)))(images, tangents)
    return np.asarray(derivative).reshape(height, width, height, width)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (7, 5)])
def test_a_blind_spot_network_does_not_see_the_pixel_that_it_restores(height: int, width: int):
    derivative = seen(Neighbor2NeighborUNet(4, 6, levels=2, blind_spot=True, channels=1), height, width)
    own = np.einsum("ijij->ij", derivative)
    assert not own.any()
    # From a pixel in the middle something goes out in every direction.
    row, column = height // 2, width // 2
    for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        assert derivative[row, column, row + down, column + right] != 0


def test_the_same_network_without_blind_spot_sees_it():
    derivative = seen(Neighbor2NeighborUNet(4, 6, levels=2, channels=1), 4, 8)
    assert np.einsum("ijij->ij", derivative).all()


def test_single_channels_do_not_see_each_other():
    model = Noise2VoidUNet(4, levels=1, single_channel=True)
    images = random_inputs(model, 1, 6, 6)[0]
    variables = initialise(model, jax.random.key(0), images)
    other = images.copy()
    other[..., 1] = 1.0 - other[..., 1]
    before, after = (np.asarray(model.apply(variables, x)) for x in (images, other))
    np.testing.assert_array_equal(before[..., [0, 2]], after[..., [0, 2]])
    assert not np.array_equal(before[..., 1], after[..., 1])


def test_the_gate_of_attention_unet_closes():
    """With a closed gate on its skip nothing of the encoder's features comes across."""
    model = AttentionUNet(4, levels=1)
    images = random_inputs(model, 1, 8, 8)[0]
    variables = flax.traverse_util.flatten_dict(initialise(model, jax.random.key(0), images), sep="/")
    apply = compiled(lambda flat: model.apply(flax.traverse_util.unflatten_dict(flat, sep="/"), images))
    norm, kernel = "params/gate_0/attention/norm", "params/decoder_0/unit_0/conv/kernel"
    closed = {**variables, f"{norm}/scale": jnp.zeros(1), f"{norm}/bias": jnp.full(1, -200.0)}
    cut = {**variables, kernel: variables[kernel].at[:, :, :4].set(0.0)}
    np.testing.assert_allclose(apply(closed), apply(cut), atol=1e-6)
    assert np.abs(apply(variables) - apply(cut)).max() > 1e-3


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (UNet(4, upsampling="bicubic"), "upsampling is 'bicubic'"),
        (UNet(4, classes=2, residual=True), "classes is 2"),
        (Noise2VoidUNet(4, depth=1), "depth is 1"),
        (Noise2VoidUNet(4, kernel_size=2), "kernel_size is 2"),
    ],
)
def test_refuses_what_makes_no_sense(model: nn.Module, message: str):
    with pytest.raises(InputError, match=message):
        initialise(model, jax.random.key(0), jax.ShapeDtypeStruct((1, 16, 16, 3), jnp.float32))
