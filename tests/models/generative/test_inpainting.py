"""Inpainting networks against their references, and what filling a hole means."""

import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.generative.deepfill import DeepFill, SNPatchDiscriminator
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens

NOISE = 1e-6
"""Float32 noise of the reference where it was not measured: that of the other networks of this size."""


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


FILLING = {"deepfill": DeepFill(4)}
"""Small networks that take a mask and paste what is known."""


@pytest.mark.parametrize("name", FILLING)
def test_alone_as_together(name: str):
    images, masks = random_inputs(FILLING[name], height=17, width=22)
    restored = check_alone_as_together(FILLING[name], (images, masks))
    assert restored.shape == images.shape
    known = np.broadcast_to(~masks, images.shape)
    np.testing.assert_array_equal(np.asarray(restored)[known], images[known])
    assert (np.asarray(restored)[~known] != images[~known]).all()


@pytest.mark.parametrize("name", FILLING)
def test_what_stands_in_the_hole_does_not_matter(name: str):
    model = FILLING[name]
    images, masks = random_inputs(model, height=16, width=24)
    variables = initialise(model, jax.random.key(0), images, masks)
    apply = compiled(model.apply)
    np.testing.assert_array_equal(apply(variables, np.where(masks, 0.3, images), masks), apply(variables, images, masks))


@pytest.mark.parametrize("name", FILLING)
def test_every_parameter_of_a_filler_learns(name: str):
    check_every_parameter_learns(FILLING[name].clone(paste=False), random_inputs(FILLING[name], height=16, width=16))


JUDGES = {"sn_patchgan": SNPatchDiscriminator(2)}


@pytest.mark.parametrize("name", JUDGES)
def test_judges(name: str):
    inputs = random_inputs(JUDGES[name], height=70, width=64)
    check_alone_as_together(JUDGES[name], inputs)
    check_every_parameter_learns(JUDGES[name], inputs)


def test_spectral_norms_improve_in_training():
    inputs = random_inputs(JUDGES["sn_patchgan"], height=64, width=64)
    variables = initialise(JUDGES["sn_patchgan"], jax.random.key(0), *inputs)
    train = compiled(lambda v: JUDGES["sn_patchgan"].apply(v, *inputs, train=True, mutable="batch_stats")[1])
    for _ in range(30):
        variables |= train(variables)
    for i in range(6):
        kernel = np.asarray(variables["params"][f"conv_{i}"]["kernel"])
        matrix = kernel.reshape(-1, kernel.shape[-1])
        largest = np.linalg.norm(variables["batch_stats"][f"conv_{i}"]["u"] @ matrix.T)
        np.testing.assert_allclose(largest, np.linalg.svd(matrix, compute_uv=False)[0], rtol=0.02)


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
        DeepFill(6).init(jax.random.key(0), image)
    with pytest.raises(InputError, match="do not fit DeepFill"):
        from_reference(model, {"inpaint_net/conv1/bias": np.zeros(4, np.float32)})
