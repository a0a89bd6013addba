"""Every kind of network of the catalogue can be compiled for GPU and TPU: lowered for them on a machine that has neither."""

import jax
import pytest

from jaxrestore.models.inputs import SIDE_INPUTS, example_inputs, side_inputs
from jaxrestore.weights.reference import variable_shapes
from tests.export.small import small_networks

NETWORKS = small_networks()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_lowers_for_gpu_and_tpu(name):
    model = NETWORKS[name]
    inputs = example_inputs(model)
    given = {key: jax.ShapeDtypeStruct((*inputs[0].shape[:3], 1), SIDE_INPUTS[key]) for key in side_inputs(model)}
    traced = jax.jit(lambda v, x, m: model.apply(v, *x, **m)).trace(variable_shapes(model), inputs, given)
    traced.lower(lowering_platforms=("cuda", "tpu"))  # raises where an operation has no form for a platform
