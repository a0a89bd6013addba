"""Structured pruning: a smaller network out of a larger one, without the inner channels that matter least.

Which channels may go is what a network's `inner_channels` says, and how the smaller network is called, its `narrowed`. Channels go one by
one: each time the one whose absence changes what its reader makes of real images least, when the other channels tell by least squares what
it said and the reader's kernel is changed to listen to them. The rest is a matter of further training.

Reference: Hassibi and Stork, NIPS 1992 (removing weights and correcting the others: the optimal brain surgeon), here for whole channels;
Li, Kadav, Durdanovic, Samet and Graf, ICLR 2017, https://arxiv.org/abs/1608.08710 (whole filters, then training);
He, Zhang and Sun, ICCV 2017, https://arxiv.org/abs/1707.06168, section 3.1 (least squares on the reader's kernel).
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.models.inputs import side_inputs
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.inner_channels import InnerChannels
from jaxrestore.typing import Variables
from jaxrestore.weights.detect import Weights
from jaxrestore.weights.reference import variable_shapes

_COLLECTIONS = ("params", "batch_stats")
# Keeps the least squares solvable where channels are zero or equal on all images, as a share of the channels' mean square.
_RIDGE = 1e-4


def prune(weights: Weights, images: np.ndarray, share: float | int) -> Weights:
    """Remove channels inside a network, the same share everywhere.

    Args:
      weights: a network that says which of its channels can go (DnCNN, EDSR, NAFNet) and its variables.
      images: (N, H, W, channels), floating point with white = 1: images such as the network will be given. A few of 128x128 will do.
      share: of the inner channels that stays, above 0 and at most 1.

    Returns:
      The smaller network, of the same class, with its variables: weights like any others.

    Raises:
      InputError: a network that does not say which channels can go, or a share outside its range.
    """
    model = weights.model
    if not hasattr(model, "inner_channels"):
        raise InputError(f"{type(model).__name__} cannot be pruned: DnCNN, EDSR and NAFNet can")
    if not 0.0 < share <= 1.0:
        raise InputError(f"the share of channels that stays is {share}: it must be above 0 and at most 1")
    if side_inputs(model):
        raise InputError(f"{type(model).__name__} takes more than an image and cannot be pruned")
    smaller = model.narrowed(share)
    groups = model.inner_channels()
    flat = flax.traverse_util.flatten_dict(dict(weights.variables), sep="/")
    flat = {path: np.asarray(value) for path, value in flat.items()}
    shapes = flax.traverse_util.flatten_dict(dict(variable_shapes(smaller)), sep="/")
    moments = _moments(model, weights.variables, images, {path for group in groups for path in group.read_by})
    for group in groups:
        count = shapes[f"params/{group.read_by[-1]}/kernel"].shape[-2]
        _shrink(flat, group, moments, count)
    information = {**weights.information, "pruned": f"{share:g} of the inner channels kept"}
    report = f"{weights.report}; {share:g} of its inner channels kept"
    variables = flax.traverse_util.unflatten_dict(flat, sep="/")
    return dataclasses.replace(weights, variables=variables, model=smaller, form=None, information=information, report=report)


def _moments(model: nn.Module, variables: Variables, images: np.ndarray, paths: set[str]) -> dict[str, np.ndarray]:
    """Path of a convolution -> (C, C): means over images and pixels of the products of its input's channels."""

    def run(variables: Variables, image: jax.Array) -> dict[str, jax.Array]:
        found: dict[str, jax.Array] = {}

        def listen(call: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext) -> Any:
            path = "/".join(context.module.path)
            if isinstance(context.module, Conv) and context.method_name == "__call__" and path in paths:
                pixels = args[0].reshape(-1, args[0].shape[-1]).astype(jnp.float32)
                found[path] = pixels.T @ pixels / pixels.shape[0]
            return call(*args, **kwargs)

        with nn.intercept_methods(listen):
            model.apply(variables, image)
        return found

    compiled = jax.jit(run)
    each = [jax.device_get(compiled(variables, image[None])) for image in np.asarray(images, np.float32)]
    return {path: np.mean([found[path] for found in each], axis=0, dtype=np.float64) for path in each[0]}


def _shrink(flat: dict[str, np.ndarray], group: InnerChannels, moments: dict[str, np.ndarray], count: int) -> None:
    """Cut the layers around a group of channels down to the best of them."""
    *others, reader = group.read_by
    name = f"params/{reader}/kernel"
    stay, flat[name] = _without(flat[name], _positive(moments[reader]), count)
    for other in others:
        name = f"params/{other}/kernel"
        flat[name] = _folded(flat[name], _positive(moments[other]), stay)
    for maker in group.made_by:
        _take(flat, maker, stay)
    for maker in group.gated:
        _take(flat, maker, np.concatenate([stay, stay + len(moments[reader])]))


def _without(kernel: np.ndarray, moment: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The channels that stay, in their order, and the kernel that reads them: removed one by one, what each said is told by the others."""
    height, width, channels, features = kernel.shape
    rows = kernel.astype(np.float64).transpose(2, 0, 1, 3).reshape(channels, -1)
    inverse, stay = np.linalg.inv(moment), np.arange(channels)
    while len(stay) > count:
        # What the reader's result changes by (its mean square) when a channel goes and the best prediction from the others takes its place.
        change = np.square(rows).sum(1) / np.diagonal(inverse)
        weakest = int(np.argmin(change))
        prediction = inverse[:, weakest] / inverse[weakest, weakest]
        rows = np.delete(rows - prediction[:, None] * rows[weakest], weakest, 0)
        inverse = np.delete(np.delete(inverse - np.outer(prediction, inverse[weakest]), weakest, 0), weakest, 1)
        stay = np.delete(stay, weakest)
    return stay, rows.reshape(count, height, width, features).transpose(1, 2, 0, 3).astype(kernel.dtype)


def _folded(kernel: np.ndarray, moment: np.ndarray, stay: np.ndarray) -> np.ndarray:
    """A kernel that reads only the channels that stay, and what they tell of the others."""
    go = np.setdiff1d(np.arange(len(moment)), stay)
    prediction = np.linalg.solve(moment[np.ix_(stay, stay)], moment[np.ix_(stay, go)])
    return (kernel[:, :, stay] + np.einsum("sg,hwgo->hwso", prediction, kernel[:, :, go])).astype(kernel.dtype)


def _positive(moment: np.ndarray) -> np.ndarray:
    return moment + (_RIDGE * np.trace(moment) / len(moment) + 1e-30) * np.eye(len(moment))


def _take(flat: dict[str, np.ndarray], layer: str, channels: np.ndarray) -> None:
    for path in list(flat):
        if path.startswith(tuple(f"{collection}/{layer}/" for collection in _COLLECTIONS)):
            flat[path] = flat[path][..., channels]
