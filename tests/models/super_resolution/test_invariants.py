"""What every super-resolution network keeps: its published count, any size, one image as in a batch, gradients everywhere, bfloat16."""

from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.models.super_resolution.carn import CARN
from jaxrestore.models.super_resolution.diffir import DiffIR, DiffIRStage1, PriorRestorer
from jaxrestore.models.super_resolution.drcn import DRCN
from jaxrestore.models.super_resolution.edsr import EDSR
from jaxrestore.models.super_resolution.enhancenet import EnhanceNet
from jaxrestore.models.super_resolution.espcn import ESPCN
from jaxrestore.models.super_resolution.esrgan import ESRGANDiscriminator, RRDBNet
from jaxrestore.models.super_resolution.fsrcnn import FSRCNN
from jaxrestore.models.super_resolution.han import HAN
from jaxrestore.models.super_resolution.idn import IDN
from jaxrestore.models.super_resolution.imdn import IMDN
from jaxrestore.models.super_resolution.ipt import IPT
from jaxrestore.models.super_resolution.mdsr import MDSR
from jaxrestore.models.super_resolution.memnet import MemNet
from jaxrestore.models.super_resolution.msrresnet import MSRResNet
from jaxrestore.models.super_resolution.rcan import RCAN
from jaxrestore.models.super_resolution.rdn import RDN
from jaxrestore.models.super_resolution.rnan import RNAN
from jaxrestore.models.super_resolution.san import SAN
from jaxrestore.models.super_resolution.srcnn import SRCNN
from jaxrestore.models.super_resolution.srdensenet import SRDenseNet
from jaxrestore.models.super_resolution.srresnet import SRGANDiscriminator, SRResNet
from jaxrestore.models.super_resolution.swinir import SwinIR
from jaxrestore.models.super_resolution.vdsr import VDSR
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights.reference import variable_shapes
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_every_parameter_learns, random_inputs

SMALL: dict[str, nn.Module] = {
    "srcnn": SRCNN(features=(8, 4)),
    "drcn": DRCN(recursions=2, features=4),
    "fsrcnn": FSRCNN(2, features=6, shrunk=4, depth=1),
    "espcn": ESPCN(3, features=(6, 4)),
    "espcn_ycbcr": ESPCN(2, features=(6, 4), channels=3, ycbcr=True),
    "vdsr": VDSR(3, 4),
    "srresnet": SRResNet(4, features=4, depth=1),
    "msrresnet": MSRResNet(3, features=4, depth=1),
    "edsr": EDSR(8, features=4, depth=1),
    "mdsr": MDSR(2, scales=(2, 3), features=4, depth=1),
    "enhancenet": EnhanceNet(features=4, depth=1),
    "memnet": MemNet(memories=2, recursions=1, features=4),
    "srdensenet": SRDenseNet(growth=4, blocks=2, depth=2, bottleneck=6),
    "rdn": RDN(3, features=4, growth=6, blocks=2, depth=2),
    "carn": CARN(3, (2, 3), features=4),
    "carn_m": CARN(2, (2,), features=8, groups=4),
    "rcan": RCAN(2, features=4, groups=1, depth=1, reduction=2),
    "rnan": RNAN(2, features=4, depth=1),
    "san": SAN(3, features=8, groups=1, depth=1, reduction=2),
    "han": HAN(2, features=4, groups=2, depth=1, reduction=2),
    "swinir": SwinIR(2, features=8, depths=(2,), heads=(2,), window=4, tail_features=4),
    "swinir_real": SwinIR(4, "nearest_conv", features=8, depths=(1,), heads=(2,), window=4, tail_features=4, three_convolutions=True),
    "swinir_denoise": SwinIR(1, "residual", features=8, depths=(1,), heads=(2,), window=4),
    "ipt": IPT((2, 3), 0, features=4, image_size=6, patch=2, heads=2, layers=1, shave=4),
    "diffir": DiffIR(4, 4, (1, 1), 1, (1, 2), prior_features=2, prior_depth=1),
    "esrgan": RRDBNet(4, features=4, growth=4, depth=1),
    "real_esrgan": RRDBNet(2, features=4, growth=4, depth=1),
    "idn": IDN(2, features=16, depth=1),
    "imdn": IMDN(3, features=16, depth=2),
}
UNCOMPILED = ("espcn", "srresnet", "edsr", "carn", "rcan", "memnet", "imdn", "swinir")
"""Blocks of every kind: what is compiled is what is written, also for the networks that are made of the same."""
UNUSED = {"mdsr": ("x3",), "carn": ("x2",), "san": ("unused",), "ipt": ("head_1", "tail_1")}
"""Parameters that this application cannot reach: the heads and tails of other scales, and what the reference never used."""


@pytest.mark.parametrize(("model", "parameters"), [(SRGANDiscriminator(), 23_563_649), (ESRGANDiscriminator(), 14_499_401)])
def test_discriminators_have_the_published_number_of_parameters(model: nn.Module, parameters: int):
    assert sum(leaf.size for leaf in jax.tree.leaves(variable_shapes(model)["params"])) == parameters


@pytest.mark.parametrize("name", SMALL)
def test_any_size_batch_and_precision(name: str):
    model = SMALL[name]
    enlarged = check_alone_as_together(model, random_inputs(model), uncompiled=name in UNCOMPILED)
    scale = {"enhancenet": 4, "srdensenet": 4}.get(name, getattr(model, "scale", 1))
    chex.assert_shape(enlarged, (2, 7 * scale, 9 * scale, model.channels))


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    # With a little noise, since DRCN begins with recursions that change nothing, of which no weighting can be better than another.
    check_every_parameter_learns(SMALL[name], random_inputs(SMALL[name], height=8, width=6), UNUSED.get(name, ()))


@pytest.mark.parametrize(("model", "side"), [(SRGANDiscriminator(2, 8, 32), 32), (ESRGANDiscriminator(2, 8, 32), 32)])
def test_discriminators_judge_each_image(model: nn.Module, side: int):
    images = np.random.default_rng(3).random((3, side, side, 3), np.float32)
    variables = initialise(model, jax.random.key(0), images)
    logits = compiled(model.apply)(variables, images)
    chex.assert_shape(logits, (3, 1))
    chex.assert_trees_all_close(logits[1:2], model.apply(variables, images[1:2]), atol=1e-4)


@pytest.mark.parametrize("make", [partial(CARN, scale=5), partial(MDSR, scale=8)])
def test_a_scale_without_a_tail_is_refused(make):
    with pytest.raises(ValueError, match="has tails for 2, 3, 4"):
        initialise(make(), jax.random.key(0), jnp.zeros((1, 8, 8, 3)))


def test_ipt_joins_squares_without_a_trace():
    model = IPT((2,), 0, features=4, image_size=6, patch=2, heads=2, layers=1, shave=4)
    image = np.random.default_rng(4).random((1, 11, 8, 3), np.float32)
    variables = initialise(model, jax.random.key(0), image)
    # With the head and all that looks beyond a pixel silenced, only the last bias is left: the same everywhere, however often it is laid.
    variables = jax.tree.map(jnp.zeros_like, variables)
    variables["params"]["tail_0"]["bias"] = jnp.asarray([10.0, 20.0, 30.0])
    result = model.apply(variables, image)
    chex.assert_shape(result, (1, 22, 16, 3))
    expected = np.broadcast_to(np.array([10.0, 20.0, 30.0]) / 255.0 + DIV2K_MEAN, result.shape)
    np.testing.assert_allclose(result, expected, atol=1e-6)
    whole = model.apply(initialise(model, jax.random.key(1), image), image)
    corner = model.apply(initialise(model, jax.random.key(1), image), image[:, :6, :6])
    np.testing.assert_allclose(whole[:, :4, :4], corner[:, :4, :4], atol=1e-5)  # a corner belongs to its own square alone


def test_diffir_learns_its_prior_from_the_answer():
    model = DiffIRStage1(PriorRestorer(2, 4, (1, 1), 1, (1, 2)), prior_features=2, prior_depth=1)
    random = np.random.default_rng(5)
    image, target = random.random((2, 8, 8, 3), np.float32), random.random((2, 16, 16, 3), np.float32)
    variables = initialise(model, jax.random.key(0), image, target)
    apply = compiled(model.apply)
    restored, prior = apply(variables, image, target)
    chex.assert_shape((restored, prior), ((2, 16, 16, 3), (2, 8)))
    other = apply(variables, image, 1.0 - target)[1]
    assert np.abs(prior - other).max() > 1e-5


def test_diffusion_begins_where_it_is_told():
    model = SMALL["diffir"]
    image = np.random.default_rng(6).random((2, 6, 4, 3), np.float32)
    variables = initialise(model, jax.random.key(0), image)
    apply = compiled(model.apply)
    np.testing.assert_array_equal(apply(variables, image), apply(variables, image))
    draw = compiled(lambda key: model.apply(variables, image, rngs={"noise": key}))
    drawn = [draw(jax.random.key(seed)) for seed in (1, 2, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert np.abs(drawn[0] - drawn[1]).max() > 0
