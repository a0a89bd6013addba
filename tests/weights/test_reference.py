"""The way from a reference's state dict to our variables: exact, strict both ways, and clear when it fails."""

import sys
from types import ModuleType

import chex
import flax.linen as nn
import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.spectral_norm import SpectralNorm
from jaxrestore.weights import from_reference, to_reference
from jaxrestore.weights.contents import Layer
from jaxrestore.weights.layouts import from_layers
from jaxrestore.weights.reference import expected_tensors

MODEL = DnCNN(depth=3, features=2, norm=False)
NAMES = ("model.0.weight", "model.0.bias", "model.2.weight", "model.2.bias", "model.4.weight", "model.4.bias")


def a_state() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {name: random.normal(size=shape).astype("f4") for name, shape in expected_tensors(MODEL).items()}


def test_names_shapes_and_axes():
    state = a_state()
    assert set(state) == set(NAMES)
    assert state["model.0.weight"].shape == (2, 1, 3, 3)
    variables = from_reference(MODEL, state)
    assert variables["params"]["conv_0"]["kernel"][0, 2, 0, 1] == state["model.0.weight"][1, 0, 0, 2]
    back = to_reference(MODEL, variables)
    assert set(back) == set(state)
    for name in state:
        np.testing.assert_array_equal(back[name], state[name])


def test_the_prefix_of_parallel_training_is_taken_off():
    state = a_state()
    wrapped = {f"module.{name}": value for name, value in state.items()}
    np.testing.assert_array_equal(from_reference(MODEL, wrapped)["params"]["conv_1"]["bias"], state["model.2.bias"])


def test_missing_left_over_and_wrong_are_all_listed():
    state = a_state()
    state["extra.weight"] = np.ones(3)
    state["model.0.bias"] = np.ones(5)
    del state["model.4.bias"]
    with pytest.raises(InputError) as caught:
        from_reference(MODEL, state)
    assert str(caught.value) == (
        "these weights do not fit DnCNN: missing model.4.bias; left over extra.weight; model.0.bias is (5,), the network has (2,)"
    )


def test_counters_are_no_left_over():
    counted = from_reference(MODEL, {**a_state(), "model.0.num_batches_tracked": np.array(3)})
    chex.assert_trees_all_equal(counted, from_reference(MODEL, a_state()))


class Judge(nn.Module):
    keeps_v: bool = True

    @nn.compact
    def __call__(self, image, train=False):
        x = SpectralNorm(Conv(4, 3, name="conv"), keeps_v=self.keeps_v)(image, train=train)
        return Conv(1, 1, use_bias=False, name="plain")(x)


def in_a_file(monkeypatch, **contents) -> None:
    """As if `Judge` were defined in a model file with these contents."""
    home = ModuleType("a_model_file")
    vars(home).update(contents)
    monkeypatch.setitem(sys.modules, "a_model_file", home)
    monkeypatch.setattr(Judge, "__module__", "a_model_file")


def test_spectrally_normalised_layers(monkeypatch):
    in_a_file(monkeypatch, reference_names=lambda model: {"conv": "net.0", "plain": "net.1"})
    shapes = expected_tensors(Judge())
    assert shapes == {
        "net.0.weight_orig": (4, 3, 3, 3),
        "net.0.weight_u": (4,),
        "net.0.weight_v": (27,),
        "net.0.bias": (4,),
        "net.1.weight": (1, 4, 1, 1),
    }
    random = np.random.default_rng(0)
    state = {name: random.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    variables = from_reference(Judge(), state)
    image = random.random((1, 5, 6, 3), np.float32)
    # torch: weight_orig / (u^T W v) with W = weight_orig of (out, everything else)
    kernel = state["net.0.weight_orig"]
    kernel = kernel / (state["net.0.weight_u"] @ kernel.reshape(4, -1) @ state["net.0.weight_v"])
    params = {"params": {"kernel": kernel.transpose(2, 3, 1, 0), "bias": state["net.0.bias"]}}
    expected = Conv(4, 3).apply(params, image) @ state["net.1.weight"][:, :, 0, 0].T
    np.testing.assert_allclose(Judge().apply(variables, image), expected, rtol=1e-4)
    chex.assert_trees_all_equal(to_reference(Judge(), variables), state)


def test_the_layout_of_tensorflow(monkeypatch):
    leaves = {"conv.kernel": "net/conv/kernel", "conv.bias": "net/conv/bias", "conv.u": "net/conv/kernel_sn/u", "plain.kernel": "net/out/w"}
    in_a_file(monkeypatch, reference_names=lambda model: leaves, REFERENCE_KERNELS="HWIO")
    model = Judge(keeps_v=False)
    shapes = expected_tensors(model)
    assert shapes == {"net/conv/kernel": (3, 3, 3, 4), "net/conv/bias": (4,), "net/conv/kernel_sn/u": (1, 4), "net/out/w": (1, 1, 4, 1)}
    state = {name: np.random.default_rng(0).normal(size=shape).astype("f4") for name, shape in shapes.items()}
    variables = from_reference(model, state)
    np.testing.assert_array_equal(variables["params"]["conv"]["kernel"], state["net/conv/kernel"])
    assert jax.tree.map(np.shape, variables["batch_stats"]) == {"conv": {"u": (4,)}}
    chex.assert_trees_all_equal(to_reference(model, variables), state)


def layers() -> list[Layer]:
    state = a_state()
    return [Layer(state[f"model.{2 * i}.weight"].transpose(2, 3, 1, 0), state[f"model.{2 * i}.bias"]) for i in range(3)]


def test_layers_in_order():
    ours, theirs = from_layers(MODEL, layers()), from_reference(MODEL, a_state())
    for i in range(3):
        for leaf in ("kernel", "bias"):
            np.testing.assert_array_equal(ours["params"][f"conv_{i}"][leaf], theirs["params"][f"conv_{i}"][leaf])


def test_layers_are_strict():
    with pytest.raises(InputError, match="missing convolution 3 bias, convolution 3 kernel"):
        from_layers(MODEL, layers()[:2])
    with pytest.raises(InputError, match="left over convolution 4 kernel, convolution 4 bias"):
        from_layers(MODEL, [*layers(), layers()[-1]])
    with pytest.raises(InputError, match=r"convolution 2 kernel is \(3, 3, 1, 2\), the network has \(3, 3, 2, 2\)"):
        from_layers(MODEL, [layers()[0], layers()[0], layers()[2]])
    with pytest.raises(InputError, match="missing batch_stats/norm_1/mean"):
        from_layers(DnCNN(depth=3, features=2), layers())
    with pytest.raises(InputError, match="left over convolution 1 bias"):
        from_layers(DnCNN(depth=3, features=2, norm=False, use_bias=False), layers())
