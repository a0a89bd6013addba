"""Inpainting networks against their references, and what filling a hole means."""

from functools import partial

import flax.traverse_util
import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.generative.context_encoder import ContextEncoder, ContextEncoderDiscriminator, RandomContextEncoder
from jaxrestore.models.generative.deepfill import DeepFill, SNPatchDiscriminator
from jaxrestore.models.generative.gated_inpainting import GatedInpainting, GatedInpaintingDiscriminator
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens

NOISE = 1e-6
"""Float32 noise of the reference where it was not measured: that of the other networks of this size."""


TRAINING_NOISE = 9.4e-5
"""Of the context encoder's reference in training, float32 against float64: its bottleneck then normalises two values."""


def from_signed(image: np.ndarray) -> np.ndarray:
    return (image + 1) / 2


def to_signed(image: np.ndarray) -> np.ndarray:
    return 2 * np.asarray(image) - 1


def part(golden: Golden, prefix: str) -> dict[str, np.ndarray]:
    return {name: value for name, value in golden.state.items() if name.startswith(prefix)}


@pytest.mark.parametrize("golden", goldens("restoration/deepfillv2-tf-original"), ids=str)
def test_deepfill_equals_the_original(golden: Golden):
    tensors, state = golden.tensors, part(golden, "inpaint_net")
    inputs = from_signed(tensors["input"]), tensors["mask"]
    model = DeepFill(8, paste=False)
    variables, _ = check_equals_reference(
        model, golden, *inputs, state=state, expected=tensors["output"], tolerance=20 * NOISE, after=to_signed
    )
    _, found = compiled(lambda v, *x: model.apply(v, *x, mutable="intermediates"))(variables, *inputs)
    np.testing.assert_allclose(to_signed(found["intermediates"]["coarse"][0]), tensors["output.1"], atol=20 * NOISE)


@pytest.mark.parametrize("golden", goldens("restoration/deepfillv2-tf-original"), ids=str)
def test_sn_patchgan_equals_the_original(golden: Golden):
    image, mask = from_signed(golden.tensors["disc_input"][..., :3]), golden.tensors["disc_input"][..., 3:]
    check_equals_reference(
        SNPatchDiscriminator(8),
        golden,
        image,
        mask,
        state=part(golden, "sn_patch_gan"),
        expected=golden.tensors["disc_output"],
        tolerance=20 * NOISE,
        after=lambda scores: np.reshape(scores, (1, -1)),
    )


@pytest.mark.parametrize("golden", goldens("restoration/gatedconv-generator-selfattention"), ids=str)
def test_gated_inpainting_equals_its_reference(golden: Golden):
    inputs = from_signed(golden.input), np.moveaxis(golden.tensors["mask"], 1, -1)
    model = GatedInpainting(4, paste=False)
    variables, _ = check_equals_reference(model, golden, *inputs, after=to_signed)
    _, found = compiled(lambda v, *x: model.apply(v, *x, mutable="intermediates"))(variables, *inputs)
    expected, noise = np.moveaxis(golden.tensors["output.1"], 1, -1), golden.description["f32_vs_f64_max_abs"]["output.1"]
    np.testing.assert_allclose(to_signed(found["intermediates"]["coarse"][0]), expected, atol=20 * noise)


@pytest.mark.parametrize("golden", goldens("restoration/sn-patchgan-selfattention"), ids=str)
def test_its_discriminator_equals_its_reference(golden: Golden):
    check_equals_reference(
        GatedInpaintingDiscriminator(4),
        golden,
        golden.input,
        method="judge",
        expected=golden.tensors["output"],
        tolerance=20 * golden.description["f32_vs_f64_max_abs"]["output"],
        after=lambda scores: np.moveaxis(scores, -1, 1).reshape(1, -1),
    )


@pytest.mark.parametrize("golden", goldens("restoration/context-encoder"), ids=str)
def test_context_encoder_equals_its_reference(golden: Golden):
    model, image = ContextEncoder(6, 24), from_signed(golden.input)
    variables, _ = check_equals_reference(model, golden, image, after=to_signed)
    middle, _ = compiled(partial(model.apply, train=True, mutable="batch_stats"))(variables, image)
    expected = np.moveaxis(golden.tensors["output_train_bn"], 1, -1)
    np.testing.assert_allclose(to_signed(middle), expected, atol=20 * TRAINING_NOISE)


@pytest.mark.parametrize("golden", goldens("restoration/context-encoder-discriminator"), ids=str)
def test_context_encoder_discriminator_equals_its_reference(golden: Golden):
    check_equals_reference(
        ContextEncoderDiscriminator(6),
        golden,
        from_signed(golden.input),
        expected=golden.tensors["output"],
        tolerance=20 * golden.description["f32_vs_f64_max_abs"]["output"],
        after=lambda scores: np.asarray(jax.nn.sigmoid(scores)).reshape(-1, 1),
    )


FILLING = {
    "deepfill": DeepFill(4),
    "gated": GatedInpainting(2),
    "context_encoder": RandomContextEncoder(2, 6, 32),
    "context_encoder_channelwise": RandomContextEncoder(2, None, 32),
}
"""Small networks that take a mask and paste what is known."""


@pytest.mark.parametrize("name", FILLING)
def test_alone_as_together(name: str):
    images, masks = random_inputs(FILLING[name], height=17, width=22)
    restored = check_alone_as_together(FILLING[name], (images, masks))
    assert restored.shape == images.shape
    known = np.broadcast_to(~masks, images.shape)
    np.testing.assert_array_equal(np.asarray(restored)[known], images[known])
    assert (np.asarray(restored)[~known] != images[~known]).all()


@pytest.mark.parametrize("name", ["deepfill", "context_encoder"])
def test_what_stands_in_the_hole_does_not_matter(name: str):
    model = FILLING[name]
    images, masks = random_inputs(model, height=16, width=24)
    variables = initialise(model, jax.random.key(0), images, masks)
    apply = compiled(model.apply)
    np.testing.assert_array_equal(apply(variables, np.where(masks, 0.3, images), masks), apply(variables, images, masks))


@pytest.mark.parametrize(("plain", "first", "place"), [(DeepFill(4), ("coarse_1", "conv"), 3), (SNPatchDiscriminator(2), ("conv_0",), 4)])
def test_a_sketch_guides(plain, first: tuple[str, ...], place: int):
    """The reference's order of channels: image, sketch, ones, mask for the one, image, mask, sketch for the other."""
    model = plain.clone(guided=True)
    images, masks = random_inputs(model, height=16, width=24)
    sketch = np.random.default_rng(5).random(masks.shape) < 0.5
    variables = initialise(model, jax.random.key(0), images, masks)
    variables |= {"params": jax.tree.map(lambda leaf: 5 * leaf, variables["params"])}  # lines are then seen at the other end
    apply = compiled(lambda v, lines: model.apply(v, images, masks, sketch=lines))
    drawn = apply(variables, sketch)
    assert np.abs(drawn - apply(variables, np.zeros_like(sketch))).max() > 1e-5
    np.testing.assert_array_equal(apply(variables, sketch & masks), drawn)  # lines outside the hole say nothing

    # A kernel that is blind to the sketch makes the network that takes none.
    flat = flax.traverse_util.flatten_dict(variables)
    kernel = np.array(flat["params", *first, "kernel"])
    without = flat | {("params", *first, "kernel"): np.delete(kernel, place, 2)}
    kernel[:, :, place] = 0
    blind, without = (flax.traverse_util.unflatten_dict(x) for x in (flat | {("params", *first, "kernel"): kernel}, without))
    expected = np.asarray(compiled(plain.apply)(without, images, masks))
    # Two programs: so large weights make much of rounding, and far more of a channel in another's place.
    np.testing.assert_allclose(apply(blind, sketch), expected, atol=1e-2 * np.abs(expected).max())

    with pytest.raises(InputError, match=f"sketch: {type(plain).__name__} takes none"):
        jax.eval_shape(lambda: plain.init(jax.random.key(0), images, masks, sketch=sketch))
    with pytest.raises(InputError, match=r"sketch has the shape \(2, 16, 23, 1\): for an image of shape"):
        jax.eval_shape(lambda: model.init(jax.random.key(0), images, masks, sketch=sketch[:, :, 1:]))


@pytest.mark.parametrize("name", FILLING)
def test_every_parameter_of_a_filler_learns(name: str):
    check_every_parameter_learns(FILLING[name].clone(paste=False), random_inputs(FILLING[name], height=16, width=16))


JUDGES = {
    "sn_patchgan": (SNPatchDiscriminator(2), (70, 64), (2, 2, 1, 8)),
    "gated": (GatedInpaintingDiscriminator(1), (128, 130), (2, 1, 1, 8)),
    "context_encoder": (ContextEncoderDiscriminator(2, 32), (33, 64), (2, 1, 5, 1)),
    "context_encoder_middle": (ContextEncoderDiscriminator(2, 32, middle=True), (65, 64), (2, 1, 1, 1)),
}
"""Discriminator, size of an image, shape of the scores of two."""


def settled(model, inputs):
    """Initial variables with estimates of the singular values that are none by chance."""
    variables = initialise(model, jax.random.key(0), *inputs)
    if not any("u" in layer for layer in variables.get("batch_stats", {}).values()):
        return variables
    train = compiled(lambda v: model.apply(v, *inputs, train=True, mutable="batch_stats")[1])
    for _ in range(30):
        variables |= train(variables)
    return variables


@pytest.mark.parametrize("name", JUDGES)
def test_judges(name: str):
    model, size, shape = JUDGES[name]
    inputs = random_inputs(model, height=size[0], width=size[1])
    assert check_alone_as_together(model, inputs, variables=settled(model, inputs)).shape == shape
    check_every_parameter_learns(model, inputs)


def test_spectral_norms_improve_in_training():
    model = JUDGES["sn_patchgan"][0]
    variables = settled(model, random_inputs(model, height=64, width=64))
    for i in range(6):
        kernel = np.asarray(variables["params"][f"conv_{i}"]["kernel"])
        matrix = kernel.reshape(-1, kernel.shape[-1])
        largest = np.linalg.norm(variables["batch_stats"][f"conv_{i}"]["u"] @ matrix.T)
        np.testing.assert_allclose(largest, np.linalg.svd(matrix, compute_uv=False)[0], rtol=0.02)


@pytest.mark.parametrize("size", [(32, 32), (21, 30), (7, 40)])
def test_context_encoder_guesses_the_middle_alone(size: tuple[int, int]):
    model = ContextEncoder(2, 6, 32, whole=True, overlap=1)
    images = random_inputs(model, height=size[0], width=size[1])[0]
    variables = initialise(model, jax.random.key(0), images)
    whole = np.asarray(compiled(model.apply)(variables, images))
    rows, columns = (slice(n // 4 + 1, n // 4 + n // 2 - 1) for n in size)
    hole = np.zeros(images.shape, bool)
    hole[:, rows, columns] = True
    np.testing.assert_array_equal(whole[~hole], images[~hole])
    erased = np.where(hole, 0.5, images)
    np.testing.assert_array_equal(compiled(model.apply)(variables, erased)[hole], whole[hole])  # what it erases does not matter
    # The middle alone, from an image erased as the reference does.
    filled = np.where(hole, np.asarray([117, 104, 123], np.float32) / 255, images).astype(np.float32)
    middle = np.asarray(compiled(model.clone(whole=False).apply)(variables, filled))
    assert middle.shape == (2, size[0] // 2, size[1] // 2, 3)
    np.testing.assert_allclose(middle[:, 1:-1, 1:-1], whole[:, rows, columns], atol=1e-6)
    # In training the overlap is guessed too.
    guessed, _ = compiled(partial(model.apply, train=True, mutable="batch_stats"))(variables, images)
    changed = np.asarray(guessed != images).all(-1)
    assert changed.sum() == 2 * (size[0] // 2) * (size[1] // 2)


@pytest.mark.parametrize("bottleneck", [6, None])
def test_context_encoder_s_bottleneck_sees_everything(bottleneck: int | None):
    model = ContextEncoder(2, bottleneck, 32)
    image = random_inputs(model, 1, 32, 32)[0]
    variables = initialise(model, jax.random.key(0), image)
    one_pixel = compiled(jax.grad(lambda x: model.apply(variables, x)[0, 5, 9].sum()))(image)
    assert np.asarray(one_pixel != 0).mean() > 0.95
    check_every_parameter_learns(model, random_inputs(model, 3, 32, 32))


def traced(model, image) -> None:
    jax.eval_shape(model.init, jax.random.key(0), image)


def test_bad_input_is_said():
    image = np.zeros((1, 8, 8, 3), np.float32)
    model = DeepFill(4)
    variables = jax.eval_shape(lambda: model.init(jax.random.key(0), image))
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), variables)
    with pytest.raises(InputError, match="mask is missing: DeepFill needs"):
        model.apply(variables, image)
    with pytest.raises(InputError, match=r"mask has the shape \(1, 8, 7, 1\)"):
        model.apply(variables, image, np.zeros((1, 8, 7, 1), bool))
    with pytest.raises(InputError, match="features is 6: it must be a positive multiple of 4"):
        traced(DeepFill(6), image)
    with pytest.raises(InputError, match="do not fit DeepFill"):
        from_reference(model, {"inpaint_net/conv1/bias": np.zeros(4, np.float32)})
    with pytest.raises(InputError, match="features is 3: it must be a positive multiple of 2"):
        traced(GatedInpainting(3), image)
    with pytest.raises(InputError, match="image_size is 48: it must be a power of two, at least 32"):
        traced(ContextEncoder(image_size=48), image)
    with pytest.raises(InputError, match="at most image_size = 32"):
        traced(ContextEncoder(2, None, 32), np.zeros((1, 40, 8, 3), np.float32))
    with pytest.raises(InputError, match="image of 8x8 is smaller than image_size = 64"):
        traced(ContextEncoderDiscriminator(), image)
    with pytest.raises(InputError, match="8x8: the discriminator needs at least 128x128"):
        traced(GatedInpaintingDiscriminator(1), image)
