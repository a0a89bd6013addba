"""Rematerialisation: the blocks of any network forget what they computed, and compute it again when the gradient comes back to them.

    with rematerialised():
        output = model.apply(variables, image)

A block is a module, other than the network itself, that is made of other modules. Only what enters and leaves a block is kept, so that the
memory of a training step hardly grows with what is inside; one more forward pass is the price. The numbers stay the same.

Chen, Xu, Zhang and Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016, https://arxiv.org/abs/1604.06174
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import flax.linen as nn
import jax

from jaxrestore.errors import InputError


@contextmanager
def rematerialised(levels: int = 1) -> Iterator[list[str]]:
    """Rematerialise the blocks of every network that is applied inside.

    Args:
      levels: 1 for the outermost blocks, 2 for the blocks inside of these as well, and so on; each costs one more forward pass of what is
        inside. 0 does nothing.

    Yields:
      A list, to which the path of each rematerialised block is added.

    Raises:
      InputError: levels is negative.
    """
    if levels < 0:
        raise InputError(f"levels is {levels}: it must be at least 0")
    found: list[str] = []
    if levels == 0:
        yield found
        return
    inside: list[tuple[str, ...]] = []

    def intercept(next_call: Callable, args: tuple, keywords: dict[str, Any], context: nn.module.InterceptorContext) -> Any:
        module = context.module
        entered = bool(inside) and inside[-1] == module.path
        if entered or len(inside) == levels or context.method_name != "__call__" or not _is_block(module):
            return next_call(*args, **keywords)
        found.append("/".join(module.path))
        leaves, structure = jax.tree.flatten((args, keywords))
        arrays = {i: leaf for i, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)}

        def body(block: nn.Module, arrays: Mapping[int, jax.Array]) -> Any:
            # Flags and sizes stay what they are: traced, they could not decide anything.
            positional, named = jax.tree.unflatten(structure, [arrays.get(i, leaf) for i, leaf in enumerate(leaves)])
            inside.append(block.path)
            try:
                return block(*positional, **named)
            finally:
                inside.pop()

        return nn.remat(body)(module, arrays)

    with nn.intercept_methods(intercept):
        yield found


def _is_block(module: nn.Module) -> bool:
    if not module.path or module.is_initializing():
        return False
    return any(isinstance(value, Mapping) for value in module.variables.get("params", {}).values())
