"""How large tiles are: the budget is kept and used; what a compiled network takes is read off its program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.inference.compiled_memory import bytes_beside, compiled_bytes
from jaxrestore.inference.field import ReceptiveField, apply_network
from jaxrestore.inference.planning import largest_side
from jaxrestore.inference.tiles import smallest_tile, tile_shape
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise

PROGRAM = """HloModule jit_apply, is_scheduled=true

%group.1 (p.0: f32[1,40,10,8], p.1: f32[3,3,8,16], p.2: f32[16]) -> f32[1,40,10,16] {
  %p.0 = f32[1,40,10,8]{3,2,1,0} parameter(0)
  %p.1 = f32[3,3,8,16]{3,2,1,0} parameter(1)
  %p.2 = f32[16]{0} parameter(2)
  %double.1 = f32[1,40,10,8]{3,2,1,0} add(%p.0, %p.0)
  %square.1 = f32[1,40,10,8]{3,2,1,0} multiply(%double.1, %double.1)
  %same.1 = f32[1,40,10,8]{3,2,1,0} bitcast(%square.1)
  %convolution.1 = f32[1,40,10,16]{3,2,1,0} convolution(%same.1, %p.1), window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_01io->b01f
  %broadcast.1 = f32[1,40,10,16]{3,2,1,0} broadcast(%p.2), dimensions={3}
  ROOT %add.1 = f32[1,40,10,16]{3,2,1,0} add(%convolution.1, %broadcast.1)
}

%other (p.3: f32[1,40,10,16]) -> f32[1,40,10,16] {
  %p.3 = f32[1,40,10,16]{3,2,1,0} parameter(0)
  %large = f32[1,4000,10,16]{3,2,1,0} broadcast(%p.3)
  ROOT %tanh.1 = f32[1,40,10,16]{3,2,1,0} tanh(%p.3)
}

ENTRY %main (x: f32[1,40,10,8], w: f32[3,3,8,16], b: f32[16]) -> f32[1,40,10,16] {
  %fusion.1 = f32[1,40,10,16] fusion(%x, %w, %b), kind=kCustom, calls=%group.1, backend_config={"fusion_config":{"kind":"__ynn_fusion"}}
  ROOT %fusion.2 = f32[1,40,10,16] fusion(%fusion.1), kind=kLoop, calls=%other
}
"""


def test_buffers_within_a_group_of_operations():
    before, after, weights = 4 * 40 * 10 * 8, 4 * 40 * 10 * 16, 4 * 3 * 3 * 8 * 16
    # The square takes the place of the double; both ends of the convolution are alive; the threads work on all rows of the smaller.
    assert bytes_beside(PROGRAM, 40) == (before + after) + (before + weights)
    assert bytes_beside(PROGRAM.replace("__ynn_fusion", "another"), 40) == before + weights  # what XLA plans itself is not counted again
    # Of many rows the threads work on 430.
    assert bytes_beside(PROGRAM.replace("[1,40,", "[1,860,"), 860) == (before + after) * 860 // 40 + before * 430 // 40 + weights


def test_what_a_network_takes():
    model = DnCNN(depth=4, features=8)
    variables = initialise(model, jax.random.key(0), jnp.zeros((1, 8, 8, 1)))
    image = jax.ShapeDtypeStruct((1, 64, 48, 1), np.float32)
    temporary = apply_network.lower(model, variables, image).compile().memory_analysis().temp_size_in_bytes
    taken = compiled_bytes(model, variables, (1, 64, 48, 1))
    layer, ends = 4 * 64 * 48 * 8, 2 * 4 * 64 * 48
    assert taken >= max(temporary, layer) + ends
    assert taken < 5 * layer + ends


@settings(deadline=None, max_examples=200)
@given(
    size=st.tuples(st.integers(40, 3000), st.integers(40, 3000)),
    radius=st.integers(0, 9),
    per_pixel=st.integers(10, 1000),
    per_row=st.sampled_from((0, 300, 3000)),
    guess=st.floats(0.2, 4.0),
    budget=st.integers(10**5, 10**8),
)
def test_tiles_keep_and_use_the_budget(size, radius, per_pixel, per_row, guess, budget):
    field, compiled = ReceptiveField(radius), set()

    def needed(tile: tuple[int, int]) -> int:
        compiled.add(tile)
        return tile[0] * tile[1] * per_pixel + tile[0] * per_row

    try:
        first = max(int(guess * (budget / per_pixel) ** 0.5), 1)
        side = largest_side("a network", *size, field, first, budget, needed)
    except InputError:
        assert needed((smallest_tile(field), smallest_tile(field))) > 0.9 * budget
        return
    tile = tile_shape(*size, side, field)
    assert needed(tile) <= budget
    assert len(compiled) <= 5
    twice = tile_shape(*size, 2 * side, field)
    assert per_row or tile == size or needed(tile) > 0.1 * budget or needed(twice) > budget


def test_a_good_guess_is_compiled_once():
    compiled = []
    largest_side("a network", 1000, 1000, ReceptiveField(5), 300, 10**6, lambda tile: compiled.append(tile) or 10 * tile[0] * tile[1])
    assert len(compiled) == 1


def test_too_little_for_any_tile():
    with pytest.raises(InputError, match=r"a network needs at least 0.00098 GiB of memory even in tiles"):
        largest_side("a network", 1000, 1000, ReceptiveField(5), 300, 10**6, lambda tile: 2**20)
