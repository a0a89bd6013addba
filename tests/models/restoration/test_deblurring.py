"""DeblurGAN, its second version and DeepDeblur against their references; pyramids, borders, several judges."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.degradations import recipes
from jaxrestore.errors import InputError
from jaxrestore.losses.pixel import mse
from jaxrestore.models.features.resnet import ResNetFeatures
from jaxrestore.models.restoration.deblurgan import DeblurGAN, DeblurGANDiscriminator
from jaxrestore.models.restoration.deblurgan_v2 import DeblurGANv2Discriminator, DeblurGANv2Inception, DeblurGANv2MobileNet
from jaxrestore.models.restoration.deepdeblur import DeepDeblur, DeepDeblurDiscriminator
from jaxrestore.models.restoration.region_fpn import RegionFPN
from jaxrestore.nn.initialise import initialise
from jaxrestore.ops.pyramid import gaussian_pyramid
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.weights import from_reference, to_reference
from jaxrestore.weights.transfer import transfer
from tests.compiled import compiled
from tests.models.zoo import cases, check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens

GENERATORS = {
    "deblurgan-generator": DeblurGAN(features=6, depth=2, dropout=0.0),
    "deblurganv2-fpn-mobilenet": DeblurGANv2MobileNet(features=6, pyramid_features=12, width=0.25, last_features=16),
}
SMALL = {
    "deblurgan": DeblurGAN(features=2, depth=1),
    "deepdeblur": DeepDeblur(features=3, depth=1),
    "deepdeblur_gray": DeepDeblur(features=3, depth=1, scales=2, kernel_size=3, channels=1),
}
MOBILENET = DeblurGANv2MobileNet(features=2, pyramid_features=4, width=0.125, last_features=3)
INCEPTION = DeblurGANv2Inception(features=2, pyramid_features=4, channel_divisor=16, depths=(1, 1, 2), classes=3)
REGION_FPN = RegionFPN(features=3, pyramid_features=5, depths=(1, 1, 2, 1), backbone_features=2)
JUDGES = {
    "deblurgan_discriminator": DeblurGANDiscriminator(features=2),
    "deblurgan_v2_discriminator": DeblurGANv2Discriminator(features=2),
}


@pytest.mark.parametrize(("golden", "model"), cases(GENERATORS))
def test_equals_the_reference(golden: Golden, model):
    check_equals_reference(model, golden, golden.input / 2 + 0.5, after=lambda restored: 2 * restored - 1)


@pytest.mark.parametrize("golden", goldens("restoration/deblurgan-discriminator"), ids=str)
def test_discriminator_equals_the_reference(golden: Golden):
    check_equals_reference(DeblurGANDiscriminator(features=6), golden, golden.input / 2 + 0.5)


@pytest.mark.parametrize("golden", goldens("restoration/deepdeblur-msresnet"), ids=str)
def test_every_scale_equals_the_reference(golden: Golden):
    images = tuple(np.moveaxis(golden.tensors[name], 1, -1) / np.float32(255) for name in ("input", "mid", "coarse"))
    model = DeepDeblur(features=6, depth=2)
    _, results = check_equals_reference(model, golden, images, after=lambda restored: 255 * restored[0], method="pyramid")
    for name, result in zip(("output", "output.1", "output.2"), results, strict=True):
        tolerance = 20 * golden.description["f32_vs_f64_max_abs"][name]
        np.testing.assert_allclose(255 * result, np.moveaxis(golden.tensors[name], 1, -1), atol=tolerance, rtol=0)


@pytest.mark.parametrize("golden", goldens("restoration/deepdeblur-discriminator"), ids=str)
def test_deepdeblurs_discriminator_equals_the_reference(golden: Golden):
    check_equals_reference(DeepDeblurDiscriminator(features=4), golden, golden.input / np.float32(255))


@pytest.mark.parametrize("name", SMALL)
def test_alone_as_together(name: str):
    model = SMALL[name]
    restored = check_alone_as_together(model, random_inputs(model))
    assert restored.shape == (2, 7, 9, model.channels)


@pytest.mark.parametrize(("model", "size"), [(MOBILENET, (7, 40)), (INCEPTION, (50, 130))], ids=["mobilenet", "inception"])
def test_on_a_backbone_alone_as_together(model, size: tuple[int, int]):
    images = random_inputs(model, 2, *size)[0]
    variables = initialise(model, jax.random.key(0), images)
    apply = compiled(model.apply)
    together = apply(variables, images)
    assert together.shape == images.shape
    np.testing.assert_allclose(together[1:], apply(variables, images[1:]), atol=2e-5)
    half = compiled(model.clone(dtype=jnp.bfloat16).apply)(variables, images[1:])
    assert half.dtype == jnp.float32
    np.testing.assert_allclose(half, together[1:], atol=0.03 + 0.1 * np.std(together))


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    check_every_parameter_learns(SMALL[name], random_inputs(SMALL[name], height=8, width=12))


def test_every_parameter_before_the_deepest_map_learns():
    behind = ("block8", "conv_7b", "classifier")
    check_every_parameter_learns(INCEPTION, random_inputs(INCEPTION, height=128, width=128), behind)


@pytest.mark.parametrize("name", JUDGES)
def test_judges(name: str):
    model = JUDGES[name]
    images = random_inputs(model, height=32, width=40)
    scores = check_alone_as_together(model, images)
    sizes = [leaf.shape for leaf in jax.tree.leaves(scores)]
    assert sizes == [(2, 7, 8, 1), (2, 4, 5, 1)][: len(sizes)]
    assert len(sizes) == 1 + ("v2" in name)
    check_every_parameter_learns(model, images)


def test_deepdeblur_judges_squares_of_256():
    model = DeepDeblurDiscriminator(features=2)
    images = np.random.default_rng(0).random((2, 256, 200, 3), np.float32)
    variables = initialise(model, jax.random.key(0), images)
    apply = compiled(model.apply)
    scores = apply(variables, images)
    assert scores.shape == (2, 1, 1, 1)
    np.testing.assert_allclose(apply(variables, 0.5 * images[::-1]), 0.5 * scores[::-1], rtol=1e-4)
    with pytest.raises(InputError, match="needs 193x193 pixels, got 192x200"):
        initialise(model, jax.random.key(0), images[:, :192])


def test_a_correction_of_nothing_gives_the_image():
    image = np.random.default_rng(1).random((1, 9, 6, 3), np.float32)
    model = SMALL["deblurgan"]
    variables = variables_of_zeros(model, image)
    np.testing.assert_array_equal(compiled(model.apply)(variables, image), image)
    model = model.clone(residual=False)
    np.testing.assert_array_equal(compiled(model.apply)(variables, image), np.full_like(image, 0.5))


def variables_of_zeros(model, image: np.ndarray):
    return jax.tree.map(jnp.zeros_like, initialise(model, jax.random.key(0), image))


def test_a_saturated_correction_is_clipped():
    image = np.linspace(0, 1, 8 * 8 * 3, dtype=np.float32).reshape(1, 8, 8, 3)
    model = SMALL["deblurgan"]
    variables = variables_of_zeros(model, image)
    variables["params"]["generator"]["tail"]["bias"] = jnp.array([100.0, -100.0, 0.0])
    expected = np.clip(image + np.array([0.5, -0.5, 0.0], np.float32), 0, 1)
    np.testing.assert_allclose(compiled(model.apply)(variables, image), expected, atol=1e-6)


def test_deepdeblur_makes_its_pyramid():
    model = SMALL["deepdeblur"]
    image = random_inputs(model, 1, 10, 15)[0]
    variables = initialise(model, jax.random.key(0), image)
    restored, sown = compiled(partial(model.apply, mutable="intermediates"))(variables, image)
    padded = np.pad(image, [(0, 0), (0, 2), (0, 1), (0, 0)], "edge")
    images = compiled(partial(model.apply, method="pyramid"))(variables, gaussian_pyramid(padded))
    np.testing.assert_allclose(restored, images[0][:, :10, :15], atol=1e-6)
    half, quarter = sown["intermediates"]["restored"]
    np.testing.assert_allclose(half, images[1][:, :5, :8], atol=1e-6)
    np.testing.assert_allclose(quarter, images[2][:, :3, :4], atol=1e-6)


def test_every_scale_is_trained_against_the_clean_image_at_its_size():
    model = SMALL["deepdeblur"]
    batch = {"image": np.random.default_rng(4).integers(0, 256, (2, 12, 8, 3), np.uint8), "index": np.arange(2, dtype=np.uint32)}
    objective = Supervised(model, mse, optax.sgd(0.0), recipes.parse("contrast:factor=0.5"), supervision=2 / 3)
    state = objective.init(jax.random.key(0), batch)
    _, metrics = compiled(objective.step)(state, batch)
    degraded, clean = objective.inputs(state.key, batch)
    restored = model.apply(state.variables(), gaussian_pyramid(degraded), method="pyramid")
    losses = [float(jnp.mean((ours - theirs) ** 2)) for ours, theirs in zip(restored, gaussian_pyramid(clean), strict=True)]
    assert float(metrics["loss"]) == pytest.approx(np.mean(losses), rel=1e-5)


def test_a_coarse_scale_guides_the_finer():
    model = SMALL["deepdeblur"]
    images = gaussian_pyramid(random_inputs(model, 1, 8, 8)[0])
    variables = initialise(model, jax.random.key(0), images[0])
    apply = compiled(partial(model.apply, method="pyramid"))
    before = apply(variables, images)
    after = apply(variables, (*images[:2], 1.0 - images[2]))
    assert all(np.abs(a - b).max() > 1e-5 for a, b in zip(before, after, strict=True))
    after = apply(variables, (1.0 - images[0], *images[1:]))
    np.testing.assert_array_equal(before[1], after[1])


def test_sizes_of_a_pyramid_are_checked():
    model = SMALL["deepdeblur"]
    variables = initialise(model, jax.random.key(0), jnp.zeros((1, 8, 8, 3)))
    images = tuple(jnp.zeros((1, side, 8, 3)) for side in (8, 4, 4))
    with pytest.raises(InputError, match="3 are needed, each half as high and wide"):
        model.apply(variables, images, method="pyramid")
    with pytest.raises(InputError, match="3 are needed"):
        model.apply(variables, gaussian_pyramid(jnp.zeros((1, 8, 8, 3)), 2), method="pyramid")


def test_names_of_inception():
    """There are no weights of the second generator here; its names are those of the published backbone and code."""
    state = to_reference(INCEPTION, initialise(INCEPTION, jax.random.key(0), jnp.zeros((1, 128, 128, 3))))
    for name in (
        "fpn.inception.conv2d_1a.conv.weight",
        "fpn.inception.mixed_5b.branch3.1.bn.running_var",
        "fpn.inception.repeat.0.branch2.2.conv.weight",
        "fpn.inception.mixed_6a.branch0.bn.weight",
        "fpn.inception.repeat_1.0.branch1.1.conv.weight",
        "fpn.inception.mixed_7a.branch2.2.bn.bias",
        "fpn.inception.block8.conv2d.bias",
        "fpn.inception.last_linear.weight",
        "fpn.lateral0.weight",
        "smooth2.0.bias",
    ):
        assert name in state, name
    assert state["fpn.inception.repeat_1.0.branch1.1.conv.weight"].shape[2:] == (1, 7)
    doubled = {name.replace("inception.conv2d_1a", "enc0"): value for name, value in state.items()} | state
    variables = from_reference(INCEPTION, doubled | {"fpn.td1.1.running_mean": np.zeros(4)})
    np.testing.assert_array_equal(to_reference(INCEPTION, variables)["final.weight"], state["final.weight"])


@pytest.mark.parametrize(("size", "expected"), [((50, 130), ((64, 80), (32, 40), (16, 20), (8, 10), (4, 5)))])
def test_borders_that_the_backbone_cuts_are_put_back(size: tuple[int, int], expected):
    """128x160 pixels after padding; the maps of the pyramid are halves, quarters... of them again."""
    image = jax.ShapeDtypeStruct((1, *size, 3), jnp.float32)

    def maps(image: jax.Array):
        apply = partial(INCEPTION.apply, capture_intermediates=True, mutable="intermediates")
        found = apply(INCEPTION.init(jax.random.key(0), image), image)[1]["intermediates"]
        laterals = [found["pyramid"][f"lateral_{level}"]["__call__"][0] for level in range(5)]
        return found["backbone"]["__call__"][0], laterals

    cut, laterals = jax.eval_shape(maps, image)
    assert [x.shape[1:3] for x in cut] == [(63, 79), (30, 38), (13, 17), (6, 8), (2, 3)]
    assert tuple(x.shape[1:3] for x in laterals) == expected


def test_a_restorer_on_resnet():
    images = random_inputs(REGION_FPN, 2, 20, 33)[0]
    variables = initialise(REGION_FPN, jax.random.key(0), images)
    apply = compiled(REGION_FPN.apply)
    together = apply(variables, images)
    assert together.shape == images.shape
    np.testing.assert_allclose(together[1:], apply(variables, images[1:]), atol=2e-5)
    check_every_parameter_learns(REGION_FPN, (np.repeat(np.repeat(images, 2, 1), 2, 2),))


def test_a_backbone_begins_from_published_weights():
    """Torchvision's names and nothing else; then the same paths as in the restorer."""
    features = ResNetFeatures(depths=REGION_FPN.depths, features=REGION_FPN.backbone_features)
    image = np.random.default_rng(3).random((1, 64, 64, 3), np.float32)
    published = to_reference(features, initialise(features, jax.random.key(1), image))
    assert {"conv1.weight", "bn1.running_var", "layer1.0.downsample.1.bias", "layer4.0.conv3.weight"} <= set(published)
    published |= {"fc.weight": np.zeros((10, 8)), "fc.bias": np.zeros(10), "bn1.num_batches_tracked": np.array(5)}
    source = from_reference(features, published)
    variables, report = transfer(initialise(REGION_FPN, jax.random.key(0), image), source)
    assert not report.unused
    assert not report.shape_differs
    assert all("pyramid/" in path for path in report.missing)
    maps = compiled(features.apply)(source, image)
    assert [x.shape[1:] for x in maps] == [(32, 32, 2), (16, 16, 8), (8, 8, 16), (4, 4, 32), (2, 2, 64)]
    found = compiled(lambda v, x: REGION_FPN.apply(v, x, capture_intermediates=True, mutable="intermediates")[1])(variables, image)
    for ours, theirs in zip(found["intermediates"]["backbone"]["__call__"][0], maps, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
