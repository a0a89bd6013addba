"""pix2pix and CycleGAN against their references; what a patch discriminator sees; dropout as noise."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.generative.cyclegan import CycleGAN, CycleGANDiscriminator
from jaxrestore.models.generative.pix2pix import Pix2Pix, Pix2PixDiscriminator, PixelGANDiscriminator
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.patch_discriminator import PatchDiscriminator
from jaxrestore.weights import from_reference
from tests.compiled import compiled
from tests.models.zoo import cases, check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens

GENERATORS = {
    "pix2pix-unet-bn": Pix2Pix(features=4, levels=6, dropout=0.0),
    "pix2pix-unet-in": Pix2Pix(features=4, levels=5, norm="instance", dropout=0.0),
    "cyclegan-resnet": CycleGAN(features=6, depth=3),
}
DISCRIMINATORS = {
    "patchgan70-bn": Pix2PixDiscriminator(features=8),
    "patchgan70-in": CycleGANDiscriminator(features=6),
    "pixelgan": PixelGANDiscriminator(features=8, channels=3),
}
SMALL = {
    "pix2pix": Pix2Pix(features=2, levels=3),
    "pix2pix_instance": Pix2Pix(features=2, levels=3, norm="instance", channels=1, output_channels=2),
    "cyclegan": CycleGAN(features=2, depth=1),
    "cyclegan_batch": CycleGAN(features=2, depth=1, norm="batch", dropout=0.5),
}
JUDGES = {
    "pix2pix_discriminator": Pix2PixDiscriminator(features=2),
    "cyclegan_discriminator": CycleGANDiscriminator(features=2),
    "pixelgan_discriminator": PixelGANDiscriminator(features=2),
}


@pytest.mark.parametrize(("golden", "model"), cases(GENERATORS | DISCRIMINATORS))
def test_equals_the_reference(golden: Golden, model):
    after = (lambda made: 2 * made - 1) if str(golden) in GENERATORS else lambda scores: scores
    check_equals_reference(model, golden, golden.input / 2 + 0.5, after=after)


@pytest.mark.parametrize(
    ("golden", "model"), cases({name: (GENERATORS | DISCRIMINATORS)[name] for name in ("pix2pix-unet-bn", "patchgan70-bn")})
)
def test_equals_the_reference_in_training(golden: Golden, model):
    apply = compiled(partial(model.apply, train=True, mutable="batch_stats"))
    result, _ = apply(from_reference(model, golden.state), golden.input / 2 + 0.5)
    expected = np.moveaxis(golden.tensors["output_train_bn"], 1, -1)
    expected = expected / 2 + 0.5 if isinstance(model, Pix2Pix) else expected
    np.testing.assert_allclose(result, expected, atol=golden.tolerance, rtol=0)


@pytest.mark.parametrize("name", SMALL)
def test_alone_as_together(name: str):
    model = SMALL[name]
    made = check_alone_as_together(model, random_inputs(model))
    assert made.shape == (2, 7, 9, model.output_channels or model.channels)
    assert 0.0 <= made.min() < made.max() <= 1.0


@pytest.mark.parametrize("name", JUDGES)
def test_judges_alone_as_together(name: str):
    model = JUDGES[name]
    scores = check_alone_as_together(model, random_inputs(model, height=26, width=33))
    assert scores.shape == ((2, 26, 33, 1) if isinstance(model, PixelGANDiscriminator) else (2, 1, 2, 1))


@pytest.mark.parametrize("name", [*SMALL, *JUDGES])
def test_every_parameter_learns(name: str):
    model = (SMALL | JUDGES)[name]
    check_every_parameter_learns(model, random_inputs(model, height=32, width=32))


@pytest.mark.parametrize(("depth", "padding", "side"), [(1, 1, 16), (2, 2, 34), (3, 1, 70)])
def test_a_score_sees_a_square(depth: int, padding: int, side: int):
    model = PatchDiscriminator(2, depth, "none", padding)
    image = np.random.default_rng(0).random((1, 2 * side, 2 * side, 3), np.float32)
    variables = initialise(model, jax.random.key(0), image)

    def middle(x: jax.Array) -> jax.Array:
        scores = model.apply(variables, x)
        return scores[0, scores.shape[1] // 2, scores.shape[2] // 2, 0]

    seen = np.abs(compiled(jax.grad(middle))(image)).sum((0, 3)) > 0
    for axis in (0, 1):
        places = np.flatnonzero(seen.any(axis))
        assert places[-1] - places[0] + 1 == side


def test_a_pixel_score_sees_a_pixel():
    model = PixelGANDiscriminator(features=3, norm="none", channels=3)
    image = np.random.default_rng(1).random((1, 5, 4, 3), np.float32)
    variables = initialise(model, jax.random.key(0), image)
    seen = compiled(jax.grad(lambda x: model.apply(variables, x)[0, 2, 1, 0]))(image)
    assert (np.argwhere(np.abs(seen).sum((0, 3))) == [[2, 1]]).all()


def test_dropout_is_the_only_noise():
    model = Pix2Pix(features=2, levels=6)
    image = random_inputs(model, 1, 64, 64)[0]
    variables = initialise(model, jax.random.key(0), image)
    variables = jax.tree.map(lambda leaf: 10 * leaf, variables)  # so that what is dropped shows
    draw = compiled(lambda key: model.apply(variables, image, rngs={"dropout": key}))
    one, other, again = (draw(jax.random.key(seed)) for seed in (1, 2, 1))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-4
    still = compiled(model.apply)(variables, image)
    assert np.abs(one - still).max() > 1e-4


def test_deep_levels_see_the_whole_image():
    """Six levels of a 64x64 image end in one pixel, through which every pixel reaches every other."""
    model = Pix2Pix(features=2, levels=6, norm="none")
    image = random_inputs(model, 1, 64, 64)[0]
    variables = jax.tree.map(lambda leaf: 20 * leaf, initialise(model, jax.random.key(1), image))
    seen = compiled(jax.grad(lambda x: model.apply(variables, x)[0, 0, 0].sum()))(image)
    assert jnp.abs(seen[0, 60:, 60:]).max() > 0


def test_begins_as_published():
    params = initialise(Pix2Pix(features=16, levels=5), jax.random.key(0), jnp.zeros((1, 32, 32, 3)))["params"]
    assert np.std(params["down_3"]["kernel"]) == pytest.approx(0.02, rel=0.05)
    assert np.std(params["up_2"]["kernel_transposed"]) == pytest.approx(0.02, rel=0.05)
    assert np.mean(params["down_3_norm"]["scale"]) == pytest.approx(1.0, abs=0.01)
    assert np.std(params["down_3_norm"]["scale"]) == pytest.approx(0.02, rel=0.3)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="levels is 1: a U-Net has at least 2"):
        initialise(Pix2Pix(levels=1), jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
    with pytest.raises(InputError, match="norm is 'layer': it must be one of batch, instance, none"):
        initialise(CycleGAN(norm="layer"), jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
    with pytest.raises(InputError, match="depth 3 has no score for an image of 23x40 pixels"):
        initialise(CycleGANDiscriminator(), jax.random.key(0), jnp.zeros((1, 23, 40, 3)))


@pytest.mark.parametrize("golden", goldens("restoration/cyclegan-resnet"), ids=str)
def test_other_sizes_are_mirrored(golden: Golden):
    model = GENERATORS["cyclegan-resnet"]
    variables = from_reference(model, golden.state)
    image = golden.input[:, :22, :37] / 2 + 0.5
    padded = np.pad(image, [(0, 0), (0, 2), (0, 3), (0, 0)], "reflect")
    apply = compiled(model.apply)
    np.testing.assert_allclose(apply(variables, image), apply(variables, padded)[:, :22, :37], atol=1e-6)
