"""ONNX models give what the network gives, in ONNX's own runtime, at every size."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxrestore
from jaxrestore.errors import InputError
from jaxrestore.export.onnx.graph import Graph, Tensor
from jaxrestore.export.onnx.lowering import lower
from jaxrestore.export.onnx.protobuf import tensor
from jaxrestore.models.catalogue import model_card
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise
from tests.compiled import compiled
from tests.export.small import small
from tests.export.test_stablehlo import pictures

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'jaxrestore[test]'")

FIVE_SIZES = ((1, 8, 8), (2, 5, 7), (1, 12, 9), (1, 3, 4), (3, 17, 6))
FAMILIES = {
    "edsr_baseline_x3": FIVE_SIZES,  # convolutions, pixel shuffle
    "drunet_gray": FIVE_SIZES,  # padding to a multiple, transposed convolutions, a noise level
    "swinir_classical_x2": FIVE_SIZES[:2],  # shifted windows
    "unet_bilinear": FIVE_SIZES[:1],  # pooling, interpolation
    "rcan_x2": FIVE_SIZES[:2],  # channel attention
    "idn_x3": FIVE_SIZES[1:2],  # MATLAB's interpolation
}


def session(content) -> "onnxruntime.InferenceSession":
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", FAMILIES)
def test_an_onnx_model_gives_what_the_network_gives(name, tmp_path):
    model = small(model_card(name))
    variables = initialise(model, jax.random.key(3), np.zeros((1, 32, 32, model.channels), np.float32))
    jaxrestore.export_network(model, tmp_path / "model.onnx", variables)
    runtime = session(tmp_path / "model.onnx")
    apply = compiled(lambda v, x, m: model.apply(v, x, **m))
    for count, height, width in FAMILIES[name]:
        image, maps = pictures(model, count, height, width)
        (found,) = runtime.run(None, {"image": image, **maps})
        expected = apply(variables, image, maps)
        np.testing.assert_allclose(found, expected, atol=5e-6 * max(1.0, np.abs(expected).max()), rtol=0)


def test_the_model_says_what_it_is(tmp_path):
    model = DnCNN(depth=2, features=3, channels=1, norm=False)
    variables = initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32))
    jaxrestore.export_network(model, tmp_path / "model.onnx", variables, size=(6, 5))
    runtime = session(tmp_path / "model.onnx")
    said = runtime.get_modelmeta().custom_metadata_map
    assert (said["name"], said["channels"], said["layout"], said["range"]) == ("DnCNN", "1", "NHWC", "[0.0, 1.0]")
    assert runtime.get_inputs()[0].shape == ["n", 6, 5, 1]
    assert runtime.get_outputs()[0].shape == ["n", 6, 5, 1]
    assert (tmp_path / "model.onnx").stat().st_size < 6000
    with pytest.raises(InputError, match="leave weights_beside out"):
        jaxrestore.export_network(model, tmp_path / "model.onnx", variables, weights_beside=True)


def through_onnx(function, *arrays):
    """The function's results, computed by the runtime."""
    from jaxrestore.export.onnx import protobuf

    closed = jax.make_jaxpr(function)(*arrays)
    graph = Graph({})
    inputs = [Tensor(f"input_{i}", array.shape, array.dtype) for i, array in enumerate(arrays)]
    results = lower(graph, closed, inputs)
    outputs = [f"output_{i}" for i in range(len(results))]
    graph.nodes += [protobuf.node("Identity", [graph.name(r)], [name], {}) for r, name in zip(results, outputs, strict=True)]
    content = protobuf.model(
        "test",
        graph.nodes,
        [tensor(name, value) for name, value in graph.constants.items()],
        [protobuf.value_info(value.name, value.dtype, value.shape) for value in inputs],
        [protobuf.value_info(name, np.dtype(r.dtype), r.shape) for r, name in zip(results, outputs, strict=True)],
        17,
        "0",
        {},
    )
    return session(content).run(None, {value.name: array for value, array in zip(inputs, arrays, strict=True)})


X = np.random.default_rng(0).standard_normal((2, 6, 5, 4)).astype(np.float32)
KERNEL = np.random.default_rng(1).standard_normal((3, 3, 4, 2)).astype(np.float32)


def convolutions(x):
    names = ("NHWC", "HWIO", "NHWC")
    conv = jax.lax.conv_general_dilated
    return [
        conv(x, KERNEL, (2, 1), ((1, 0), (2, 1)), dimension_numbers=names),
        conv(x, KERNEL, (1, 1), ((2, 2), (-1, 3)), rhs_dilation=(2, 1), dimension_numbers=names),
        conv(x, KERNEL, (1, 1), ((1, 2), (2, 1)), lhs_dilation=(2, 2), dimension_numbers=names),
        conv(x, KERNEL[:, :, :2], (1, 1), "VALID", feature_group_count=2, dimension_numbers=names),
    ]


def moves(x):
    index = jnp.asarray([4, 0, 0, 3])
    return [
        jnp.take(x, index, 1, mode="clip"),
        x[:, index[:2], index[2:]],
        jnp.flip(x, (1, 2)),
        jax.lax.pad(x, 0.5, ((0, 0, 0), (1, -2, 0), (2, 0, 1), (0, 0, 0))),
        jax.lax.dynamic_slice(x, (0, index[0], 1, 0), (2, 3, 3, 4)),
        jnp.concatenate(jnp.split(x, 2, -1)[::-1], 1),
        jnp.roll(x, 2, 1),
        jnp.transpose(x.reshape(2, 3, 2, 5, 4), (0, 2, 1, 4, 3)),
    ]


def numbers(x):
    return [
        jax.nn.gelu(x, approximate=False) + jax.nn.sigmoid(x) * jnp.tanh(x[:, :1]),
        jnp.where(x > 0, x, -x) ** 3 // 0.5 + jnp.round(x),
        jax.nn.softmax(jnp.einsum("nhwc,nhvc->nhwv", x, x), -1),
        jnp.einsum("nhwc,nvuc->nhv", x, x),
        (x.astype(jnp.int32) % 3).astype(jnp.float32) + jnp.clip(x, -0.5, 0.5),
        jnp.max(x, (1, 2)) + jnp.var(x, (1, 2)) + jnp.any(x > 2, (1, 2)),
        jnp.argmax(x, 2),
        jax.lax.rsqrt(x * x + 1) - jnp.log1p(x * x) + jnp.expm1(x),
    ]


def windows(x):
    return [
        jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 3, 2, 1), (1, 2, 2, 1), ((0, 0), (1, 0), (0, 1), (0, 0))),
        jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 2, 3, 1), (1, 1, 2, 1), "VALID"),
        jnp.cumsum(x, 1),
        jax.lax.scan(lambda c, row: (c + row, c * row), x[0], x)[1],
    ]


@pytest.mark.parametrize("function", [convolutions, moves, numbers, windows])
def test_operations_keep_their_meaning(function):
    for i, (found, expected) in enumerate(zip(through_onnx(function, X), compiled(function)(X), strict=True)):
        np.testing.assert_allclose(found, expected, atol=2e-5, err_msg=str(i))


def test_an_unknown_operation_is_named_in_one_line():
    with pytest.raises(InputError, match="does not know JAX's operation 'sort'"):
        through_onnx(lambda x: jnp.sort(x, 1), X)
