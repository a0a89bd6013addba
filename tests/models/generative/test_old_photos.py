"""The networks for old photos against their references, and the whole way from a photo to a restored one."""

import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.generative.old_photos import (
    LatentMapping,
    OldPhotoRestorer,
    OldPhotoVAE,
    ScratchDetector,
    ScratchedPhotoRestorer,
)
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.partial_nonlocal import undamaged
from jaxrestore.nn.patch_attention import replace_patches
from jaxrestore.ops.blur_pool import blur_pool
from jaxrestore.ops.color import rgb_to_gray
from jaxrestore.weights import from_reference, to_reference
from jaxrestore.weights.reference import expected_tensors
from tests.compiled import LATER_EMITTERS, compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens


def to_signed(image) -> np.ndarray:
    return 2 * np.asarray(image) - 1


@pytest.mark.parametrize("golden", goldens("restoration/oldphoto-vae-generator"), ids=str)
def test_autoencoder_equals_its_reference(golden: Golden):
    model, image = OldPhotoVAE(6, 6), (golden.input + 1) / 2
    variables, _ = check_equals_reference(model, golden, image, after=to_signed)
    latent = compiled(lambda v, x: model.apply(v, x, method="encode"))(variables, image)
    noise = golden.description["f32_vs_f64_max_abs"]["latent"]
    np.testing.assert_allclose(latent, np.moveaxis(golden.tensors["latent"], 1, -1), atol=20 * noise)
    # With noise the latents are drawn; the standard deviation is one.
    decode = compiled(lambda v, z: model.apply(v, z, method="decode"))
    drawn = compiled(lambda v, x, key: model.apply(v, x, rngs={"noise": key}))(variables, image, jax.random.key(1))
    assert np.abs(drawn - decode(variables, latent)).max() > 0.01


@pytest.mark.parametrize("golden", goldens("restoration/oldphoto-mapping"), ids=str)
def test_mapping_equals_its_reference(golden: Golden):
    check_equals_reference(LatentMapping(4, 32, 2), golden)


@pytest.mark.parametrize("golden", goldens("restoration/oldphoto-mapping-nonlocal"), ids=str)
def test_partial_mapping_equals_its_reference(golden: Golden):
    mask = np.moveaxis(golden.tensors["mask"], 1, -1)
    check_equals_reference(LatentMapping(4, 32, 1, partial_nonlocal=True), golden, golden.input, mask)


@pytest.mark.parametrize("golden", goldens("restoration/oldphoto-scratch-detector"), ids=str)
def test_scratch_detector_equals_its_reference(golden: Golden):
    check_equals_reference(ScratchDetector(4, 2), golden, (golden.input + 1) / 2)


SMALL = {
    "vae": OldPhotoVAE(2, 4),
    "vae_odd_window": OldPhotoVAE(2, 3, kernel_size=3, channels=1),
    "detector": ScratchDetector(2, 2),
    "restorer": OldPhotoRestorer(4, 4, 8, 1),
}
MASKED = ScratchedPhotoRestorer(4, 4, 8, 1, detects=False)


@pytest.mark.parametrize("name", SMALL)
def test_alone_as_together(name: str):
    images = random_inputs(SMALL[name], height=18, width=21)
    restored = check_alone_as_together(SMALL[name], images, tolerance=1e-4)
    assert restored.shape == images[0].shape


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    # What a normalisation takes off cannot learn: the biases before it.
    unused = {"restorer": LOST_BIASES, "vae": LOST_BIASES, "vae_odd_window": LOST_BIASES}.get(name, ())
    check_learns(SMALL[name], random_inputs(SMALL[name], height=16, width=16), unused)


LOST_BIASES = ("bias",)


def check_learns(model, inputs, unused) -> None:
    """Every kernel learns. Biases before an instance normalisation have no effect, and their gradients are rounding noise or zero."""
    if not unused:
        check_every_parameter_learns(model, inputs)
        return
    variables = initialise(model, jax.random.key(0), *inputs)
    weights = np.random.default_rng(2).standard_normal(inputs[0].shape, np.float32)
    gradient = compiled(jax.grad(lambda v: (model.apply(v, *inputs) * weights).sum()))(variables)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        assert np.isfinite(leaf).all()
        assert "bias" in jax.tree_util.keystr(path) or leaf.any(), jax.tree_util.keystr(path)


def test_scratches_are_filled_from_elsewhere():
    images, masks = random_inputs(MASKED, height=20, width=24)
    masks[:] = False
    masks[:, 4:12, 8:16] = True
    # The attention's result is nearly constant where it begins, and normalising that shows rounding errors; less so for larger weights.
    # With these bfloat16 only has to run.
    larger = jax.tree.map(lambda leaf: 10 * leaf, initialise(MASKED, jax.random.key(0), images, masks))
    check_alone_as_together(MASKED, (images, masks), tolerance=2e-3, bfloat16=4.0, variables=larger)
    check_learns(MASKED, (images, masks), LOST_BIASES)
    variables = initialise(MASKED, jax.random.key(0), images, masks)
    apply = compiled(MASKED.apply)
    white = np.where(masks, 0.2, images)
    np.testing.assert_array_equal(apply(variables, white, masks), apply(variables, images, masks))


LARGE = MASKED.clone(depth=3, patch_sizes=(2,), mask_growth=1)


def test_scratched_patches_of_large_photos_become_others():
    """As the reference's Patch_Attention_4, written out: each patch that is mostly scratched is the whole one of the largest cosine."""
    random = np.random.default_rng(0)
    features = random.standard_normal((2, 6, 9, 5)).astype(np.float32)
    mask = (random.random((2, 6, 9, 1)) < 0.5).astype(np.float32)
    mask[0, :3, :3] = [[[1], [1], [1]], [[1], [1], [1]], [[0], [0], [0]]]  # two thirds are more than 0.6
    mask[0, 3:, 6:] = 0
    mask[1, :3, :6] = 0
    expected, replaced = features.copy(), 0
    places = [(top, left) for top in (0, 3) for left in (0, 3, 6)]
    for n in range(2):
        whole = [(y, x) for y, x in places if mask[n, y : y + 3, x : x + 3].mean() <= 0.6]
        for y, x in set(places) - set(whole):
            patch = features[n, y : y + 3, x : x + 3].ravel()
            others = [features[n, a : a + 3, b : b + 3].ravel() for a, b in whole]
            best = max(others, key=lambda other: patch @ other / np.linalg.norm(other))
            expected[n, y : y + 3, x : x + 3] = best.reshape(3, 3, 5)
            replaced += 1
    assert replaced > 2
    replace = compiled(lambda x, m: replace_patches(x, m, 3))
    np.testing.assert_array_equal(replace(features, mask), expected)
    np.testing.assert_array_equal(replace(features, np.ones_like(mask)), features)
    np.testing.assert_array_equal(replace(features[:, :5, :8], mask[:, :5, :8] * 0), features[:, :5, :8])
    # So many patches that they are compared some at a time.
    row = random.standard_normal((1, 1, 5000, 3)).astype(np.float32)
    gone = (np.arange(5000) % 3 == 0).reshape(1, 1, 5000, 1).astype(np.float32)
    directions = row[0, 0] / np.linalg.norm(row[0, 0], axis=-1, keepdims=True)
    kept = np.flatnonzero(np.arange(5000) % 3)
    source = np.arange(5000)
    source[::3] = kept[np.argmax(directions[::3] @ directions[kept].T, -1)]
    same = np.asarray(compiled(lambda x, m: replace_patches(x, m, 1))(row, gone))[0, 0] == row[0, 0, source]
    assert same.all(-1).mean() > 0.999  # rounding may decide between two that are nearly alike


def test_scratches_of_large_photos_are_filled_from_elsewhere():
    images, masks = random_inputs(LARGE, height=20, width=24)
    masks[:] = False
    masks[:, 4:12, 8:16] = True
    check_learns(LARGE, (images, masks), LOST_BIASES)
    variables = initialise(LARGE, jax.random.key(0), images, masks)
    apply = compiled(LARGE.apply)
    restored = apply(variables, images, masks)
    np.testing.assert_allclose(apply(variables, images[::-1], masks[::-1])[::-1], restored, atol=1e-4)
    # What is one pixel beside a scratch counts as scratched too; what is two pixels beside it does not.
    for distance, alike in ((1, True), (2, False)):
        other = images.copy()
        other[:, 4 - distance, 8:16] = 0.2
        assert np.array_equal(apply(variables, other, masks), restored) == alike


def test_large_photos_take_the_weights_of_the_reference():
    """Its names, as its code makes them: two blocks, attention, two blocks, attention, two blocks, attention, two blocks."""
    model = LatentMapping(4, 8, 8, patch_sizes=(8, 4, 2))
    blocks = ["before_NL.12", "before_NL.13", *(f"res_block_{i}.{j}" for i in (1, 2) for j in (0, 1)), "after_NL.0", "after_NL.1"]
    modules = {f"before_NL.{i}" for i in (0, 3, 6, 9)} | {f"after_NL.{i}" for i in (2, 5, 8, 11)}
    modules |= {f"NL_scale_{i}.F_Combine" for i in (1, 2, 3)}
    for block in (*blocks, *(f"NL_scale_{i}.res_block.0" for i in (1, 2, 3))):
        modules |= {f"{block}.conv_block.1", f"{block}.conv_block.5"}
    expected = expected_tensors(model)
    assert set(expected) == {f"{module}.{leaf}" for module in modules for leaf in ("weight", "bias")}
    assert expected["NL_scale_2.F_Combine.weight"] == (8, 17, 3, 3)


def test_scratches_are_found_where_no_mask_is_given():
    model = ScratchedPhotoRestorer(4, 4, 8, 1, detector_features=2)
    image = random_inputs(model, 1, 64, 96)[0]
    variables = initialise(model, jax.random.key(0), image)
    detector = ScratchDetector(2)
    enlarged = jax.image.resize(rgb_to_gray(image), (1, 256, 384, 1), "bilinear")  # the shorter side becomes 256
    # With and without a mask are two programs; instance normalisation of nearly constant maps makes much of any rounding between them.
    logits = compiled(detector.apply, LATER_EMITTERS)(
        {"params": variables["params"]["detector"], "batch_stats": variables["batch_stats"]["detector"]}, enlarged
    )
    # Its first bias moves the threshold, so that some of the photo is scratched and some is not.
    shift = np.quantile(logits[:, 2::4, 2::4], 0.7) - np.log(0.4 / 0.6)
    variables["params"]["detector"]["tail"]["bias"] -= shift
    probability = jax.nn.sigmoid(logits - shift)
    found = np.asarray(probability >= 0.4)[:, ::4, ::4]
    assert 0.1 < found.mean() < 0.6
    apply = compiled(model.apply, LATER_EMITTERS)
    np.testing.assert_allclose(apply(variables, image), apply(variables, image, found), atol=1e-5)
    assert np.abs(apply(variables, image) - apply(variables, image, ~found)).max() > 1e-3


def test_damage_spreads_to_every_latent_that_saw_it():
    mask = np.zeros((1, 16, 16, 1), bool)
    mask[0, 5, 6] = mask[0, 8, 12] = True  # in the middle of one latent's pixels, in the corner of another's
    known = np.asarray(undamaged(mask, (4, 4)))[0, :, :, 0]
    expected = np.ones((4, 4))
    expected[1, 1] = expected[2, 3] = 0
    np.testing.assert_array_equal(known, expected)


def test_blur_pool_by_hand():
    image = np.arange(5.0, dtype=np.float32).reshape(1, 5, 1, 1) ** 2
    # Mirrored: 1 0 1 4 9 16 9; (1 + 2 * 0 + 1) / 4, (1 + 2 * 4 + 9) / 4, (9 + 2 * 16 + 9) / 4
    np.testing.assert_allclose(blur_pool(image).ravel(), [0.5, 4.5, 12.5])
    constant = np.full((2, 6, 7, 3), 0.3, np.float32)
    assert blur_pool(constant).shape == (2, 3, 4, 3)
    np.testing.assert_allclose(blur_pool(constant), 0.3, rtol=1e-6)


def test_weights_of_the_parts_make_the_whole():
    model = ScratchedPhotoRestorer(4, 4, 8, 1, detector_features=2)
    image = random_inputs(model, 1, 32, 32)[0]
    variables = initialise(model, jax.random.key(0), image)
    state = to_reference(model, variables)
    prefixes = {name.split(".")[0] for name in state}
    assert prefixes == {"netG_A", "netG_B", "mapping_net", "detector"}
    unused = {"netG_A.decoder.4.weight": np.ones(3), "netG_B.encoder.1.bias": np.ones(2), "detector.down_sample.3.4.filt": np.ones(1)}
    again = from_reference(model, {**state, **unused})
    for ours, theirs in zip(jax.tree.leaves(again), jax.tree.leaves(variables), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_bad_input_is_said():
    image = np.zeros((1, 8, 8, 3), np.float32)
    with pytest.raises(InputError, match="mask is missing: ScratchedPhotoRestorer needs"):
        MASKED.apply(initialise(MASKED, jax.random.key(0), image), image)
    latent = np.zeros((1, 4, 4, 2), np.float32)
    mapping = LatentMapping(2, 4, 1, partial_nonlocal=True)
    with pytest.raises(InputError, match="mask is missing: LatentMapping needs"):
        mapping.apply(initialise(mapping, jax.random.key(0), latent), latent)
    crowded = LatentMapping(2, 4, 1, patch_sizes=(2,))
    with pytest.raises(InputError, match=r"patch_sizes is \(2,\): each needs two of depth = 1 blocks"):
        jax.eval_shape(crowded.init, jax.random.key(0), latent)
    with pytest.raises(InputError, match="kernel_size is 5: it must be 3 or 4"):
        jax.eval_shape(OldPhotoVAE(kernel_size=5).init, jax.random.key(0), image)
    with pytest.raises(InputError, match="most_features is 9: it must be at most four times features = 2"):
        jax.eval_shape(OldPhotoVAE(2, 9).init, jax.random.key(0), image)
