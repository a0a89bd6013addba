"""The forms in which a convolution can be computed, all with the same value.

XLA's compiler for the CPU has one fast routine, the dense convolution with unit or larger strides, and slow ones around it. Each form below
turns some other case into fast work; `nn.conv` chooses among them, and `benchmarks/convolution.py` measures what the choice brings. Images
are (N, H, W, C), kernels (height, width, C / groups, out).
"""

import math
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.nn.conv_window import Sides, Window, pad, plain
from jaxrestore.nn.minimal_filtering import filter_by_rows, is_faster
from jaxrestore.ops.symbolic import larger, smaller
from jaxrestore.typing import Side

MOST_SHIFTS = 49
"""Beyond 7x7 taps a sum of shifted images takes seconds to compile."""


def dense(image: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """A convolution of one group whose gradients are fast on the CPU, also inside `lax.scan` and `lax.while_loop`.

    Where padding enlarges the result beyond the image, the gradient for the kernel would take a naive routine, 70 times slower: that part
    of the padding is added to the image beforehand.
    """
    excess = [sum(p) - extent + 1 for p, extent in zip(window.padding, window.extent(kernel), strict=True)]
    image, padding = _pad_beforehand(image, window.padding, excess)
    return _dense(image, kernel, replace(window, padding=padding))


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def _dense(image: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    if image.shape[-1] == 1 and kernel[..., 0, 0].size <= MOST_SHIFTS:
        return _shifted_sum(image, kernel, window)
    return filter_by_rows(image, kernel, window) if is_faster(image, kernel, window) else _padded(image, kernel, window)


def _padded(image: jax.Array, kernel: jax.Array, window: Window, names: tuple[str, str, str] = ("NHWC", "HWIO", "NHWC")) -> jax.Array:
    """As `plain`. Without any padding the compiler's routine is up to 20 times slower: a row of zeros goes on, and a row of results off."""
    if any(map(any, window.padding)):
        return plain(image, kernel, window, names)
    window = replace(window, padding=((window.strides[0], 0), (0, 0)))
    return plain(image, kernel, window, names)[:, 1:]


@_dense.defjvp
def _dense_tangent(window: Window, primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    # The derivative is linear in each tangent and JAX transposes it for the gradient. Both terms are spelled so that the transposed
    # convolution is an NHWC-by-HWIO one: inside a loop the compiler has no fast routine for another order of the axes (jax-ml/jax issue
    # 12868). A custom VJP would do for the gradient alone, but forbids forward mode.
    (image, kernel), (image_dot, kernel_dot) = primals, tangents
    result = _dense(image, kernel, window)
    of_image = _along_image(image_dot, kernel, window, result)
    channels, features = kernel.shape[2:]
    shrinks = any(sum(p) < extent - 1 for p, extent in zip(window.padding, window.extent(kernel), strict=True))
    if 4 * features <= channels and window.strides == window.dilation == (1, 1) and not shrinks:
        return result, of_image + _along_kernel_of_few_features(image, kernel_dot, window.padding)
    if image.shape[0] == 1:  # up to 20 times faster for one image, and slower for several
        image, window = pad(image, window.padding), replace(window, padding=((0, 0), (0, 0)))
    of_kernel = plain(image.transpose(3, 1, 2, 0), kernel_dot.transpose(2, 0, 1, 3), window, ("CHWN", "IHWO", "HWNC"))
    return result, of_image + of_kernel.transpose(2, 0, 1, 3)


def _along_image(image_dot: jax.Array, kernel: jax.Array, window: Window, result: jax.Array) -> jax.Array:
    back = jnp.flip(kernel, (0, 1)).swapaxes(2, 3)
    borders = [(k - 1 - before, k - 1 - after) for k, (before, after) in zip(kernel.shape[:2], window.padding, strict=True)]
    backward = replace(window, padding=(borders[0], borders[1]))
    if is_faster(result, back, backward):  # transposed twice, it is what the gradient computes
        (of_image,) = jax.linear_transpose(lambda g: filter_by_rows(g, back, backward), result)(image_dot)
        return of_image
    return _padded(image_dot, kernel.swapaxes(2, 3), window, ("NHWC", "HWOI", "NHWC"))


def _along_kernel_of_few_features(image: jax.Array, kernel_dot: jax.Array, padding: Sides) -> jax.Array:
    # Here the image is the window that moves over the kernel. The transpose then convolves the gradient with the image, and the many
    # channels are its outputs, which run in parallel.
    borders = [
        (n - k + before, n - k + after) for n, k, (before, after) in zip(image.shape[1:3], kernel_dot.shape[:2], padding, strict=True)
    ]
    moved = jnp.flip(image.transpose(1, 2, 0, 3), (0, 1))
    window = Window(padding=(borders[0], borders[1]))
    along = plain(jnp.flip(kernel_dot.transpose(3, 0, 1, 2), (1, 2)), moved, window, ("NHWC", "HWOI", "NHWC"))
    return along.transpose(3, 1, 2, 0)


def _pad_beforehand(image: jax.Array, padding: Sides, counts: list[Side]) -> tuple[jax.Array, Sides]:
    """Add so many rows and columns of the padding to the image, those at the end first; give the padding that is left."""
    after = [smaller(p[1], larger(n, 0)) for p, n in zip(padding, counts, strict=True)]
    before = [larger(n, 0) - a for n, a in zip(counts, after, strict=True)]
    added = ((before[0], after[0]), (before[1], after[1]))
    (top, bottom), (left, right) = padding
    return pad(image, added), ((top - before[0], bottom - after[0]), (left - before[1], right - after[1]))


def product(image: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """A 1x1 convolution as the product of the pixels with a matrix."""
    image = pad(image, window.padding)
    for axis, step in enumerate(window.strides, 1):
        image = image if step == 1 else lax.slice_in_dim(image, 0, image.shape[axis], step, axis)
    return jnp.dot(image, kernel.reshape(kernel.shape[2:]))


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def shifted_sum(image: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """A depthwise convolution (as many groups as channels) as a sum of shifted, weighted images.

    With several kernels a channel, output channel o sees input channel o // (out / C). Half precision is summed in single.
    """
    return _shifted_sum(image, kernel, window)


@shifted_sum.defjvp
def _shifted_sum_tangent(window: Window, primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    (image, kernel), (image_dot, kernel_dot) = primals, tangents
    of_image, of_kernel = _shifted_sum(image_dot, kernel, window), _along_kernel_by_rows(image, kernel_dot, window)
    return shifted_sum(image, kernel, window), of_image + of_kernel


def _shifted_sum(image: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    precise = jnp.promote_types(image.dtype, jnp.float32)
    x = _repeated(pad(image, window.padding), kernel.shape[-1])
    terms = [
        _tap(_tap(x, 1, i, window, kernel), 2, j, window, kernel).astype(precise) * kernel[i, j].astype(precise).reshape(1, 1, 1, -1)
        for i in range(kernel.shape[0])
        for j in range(kernel.shape[1])
    ]
    return sum(terms[1:], terms[0]).astype(image.dtype)


def _along_kernel_by_rows(image: jax.Array, kernel_dot: jax.Array, window: Window) -> jax.Array:
    # The transpose is a sum over all positions for each tap and channel, slow as a reduction since it runs down columns. Adding up whole
    # rows of all taps in a loop, and only then along the row, is 5 to 20 times faster: hence the loop, and the taps spread over a row.
    precise = jnp.promote_types(image.dtype, jnp.float32)
    x = _repeated(pad(image, window.padding), kernel_dot.shape[-1])
    rows = window.extent(kernel_dot)[0]
    height, width = (_tap(x, axis, 0, window, kernel_dot).shape[axis] for axis in (1, 2))
    spread = jnp.broadcast_to(kernel_dot.astype(precise)[:, :, None, None], (*kernel_dot.shape[:2], x.shape[0], 1, width, x.shape[-1]))

    @partial(jax.checkpoint, prevent_cse=False)  # or the shifted rows would be kept, as many images as there are taps
    def one_row(taps: list[list[jax.Array]], index: jax.Array) -> jax.Array:
        strip = lax.dynamic_slice_in_dim(x, index * window.strides[0], rows, axis=1)
        lines = [_tap(strip, 1, i, window, kernel_dot) for i in range(kernel_dot.shape[0])]
        terms = [
            _tap(line, 2, j, window, kernel_dot).astype(precise) * tap
            for line, across in zip(lines, taps, strict=True)
            for j, tap in enumerate(across)
        ]
        return sum(terms[1:], terms[0])

    taps = [list(across) for across in spread]
    _, result = lax.scan(lambda _, index: (None, one_row(taps, index)), None, jnp.arange(height))
    return jnp.moveaxis(result[:, :, 0], 0, 1).astype(image.dtype)


def _repeated(image: jax.Array, features: int) -> jax.Array:
    return image if image.shape[-1] in (1, features) else jnp.repeat(image, features // image.shape[-1], axis=-1)


def _tap(image: jax.Array, axis: int, index: int, window: Window, kernel: jax.Array | jax.ShapeDtypeStruct) -> jax.Array:
    """The pixels along one axis (1 or 2) of a padded image that one row or column of taps meets."""
    step, first = window.strides[axis - 1], index * window.dilation[axis - 1]
    count = (image.shape[axis] - window.extent(kernel)[axis - 1]) // step + 1
    return lax.slice_in_dim(image, first, first + (count - 1) * step + 1, step, axis)


def split_groups(image: jax.Array, kernel: jax.Array, window: Window, pieces: int = 8) -> jax.Array:
    """A grouped convolution as at most `pieces` dense ones.

    Where there are more groups, several share a piece and the taps between different groups are zeros: more arithmetic, but of the fast
    kind.
    """
    pieces = max(n for n in range(1, pieces + 1) if window.groups % n == 0)
    blocks = window.groups // pieces
    images = jnp.split(image, pieces, axis=-1)
    kernels = jnp.split(kernel, pieces, axis=-1)
    one = replace(window, groups=1)
    results = [dense(x, _block_diagonal(k, blocks), one) for x, k in zip(images, kernels, strict=True)]
    return jnp.concatenate(results, axis=-1)


def _block_diagonal(kernel: jax.Array, blocks: int) -> jax.Array:
    height, width, channels, features = kernel.shape
    diagonal = jnp.eye(blocks, dtype=kernel.dtype).reshape(1, 1, blocks, 1, blocks, 1)
    spread = diagonal * kernel.reshape(height, width, 1, channels, blocks, features // blocks)
    return spread.reshape(height, width, blocks * channels, features)


def transposed_plain(image: jax.Array, kernel: jax.Array, strides: tuple[int, int], padding: Sides) -> jax.Array:
    """A transposed convolution as a convolution over an image with zeros between its pixels.

    Args:
      image: (N, H, W, C).
      kernel: (height, width, C, out), flipped in space against the convolution that it transposes.
      strides: enlargement.
      padding: zeros added around the spread image; the result has (H - 1) * strides + 1 + sum(padding) - (kernel - 1) rows.
    """
    return lax.conv_general_dilated(image, kernel, (1, 1), padding, lhs_dilation=strides, dimension_numbers=("NHWC", "HWIO", "NHWC"))


@dataclass(frozen=True)
class _Phases:
    """A transposed convolution as one convolution for each phase of its result's rows and columns.

    Attributes:
      kernel: (taps, strides, taps, strides, C, out): that of a phase is `kernel[:, i, :, j]`.
      border: zeros added to the image ((top, bottom), (left, right)).
      lacking: phases from this one on have zeros for their first tap, vertical and horizontal.
      count: rows and columns of each phase.
      wanted: the part of the interleaved phases that is the result.
    """

    kernel: jax.Array
    border: Sides
    lacking: tuple[int, int]
    count: tuple[Side, Side]
    wanted: tuple[slice, slice]

    def interleave(self, phases: jax.Array) -> jax.Array:
        """(N, H, W, strides, strides, out) to (N, H', W', out)."""
        batch, *_, vertical, horizontal, features = phases.shape
        full = phases.transpose(0, 1, 3, 2, 4, 5).reshape(batch, self.count[0] * vertical, self.count[1] * horizontal, features)
        return full[:, *self.wanted]


def _phases(image: jax.Array, kernel: jax.Array, strides: tuple[int, int], padding: Sides) -> _Phases:
    taps, border, lacking, count, wanted = [], [], [], [], []
    for n, k, s, (before, after) in zip(image.shape[1:3], kernel.shape[:2], strides, padding, strict=True):
        lost = k - 1 - before  # rows of the full result that lie before the wanted ones
        size = (n - 1) * s + 1 + before + after - (k - 1)
        taps.append(math.ceil(k / s))
        first = lost // s
        offset = lost - first * s
        count.append(-(-(offset + size) // s))
        border.append((taps[-1] - 1 - first, first + count[-1] - n))
        lacking.append(k - (taps[-1] - 1) * s)
        wanted.append(slice(offset, offset + size))
    # Phase r of a row of the result is a convolution with the taps r, r + s, r + 2s... of the kernel as it is not flipped.
    spare = [(t * s - k, 0) for t, s, k in zip(taps, strides, kernel.shape[:2], strict=True)]
    kernel = jnp.pad(kernel, (*spare, (0, 0), (0, 0)))
    kernel = kernel.reshape(taps[0], strides[0], taps[1], strides[1], *kernel.shape[2:])[:, ::-1, :, ::-1]
    return _Phases(kernel, (border[0], border[1]), (lacking[0], lacking[1]), (count[0], count[1]), (wanted[0], wanted[1]))


def transposed_sub_pixel(image: jax.Array, kernel: jax.Array, strides: tuple[int, int], padding: Sides) -> jax.Array:
    """The same without multiplying by those zeros: one small convolution gives the pixels of all phases, which are then interleaved.

    Args and result as for `transposed_plain`. Reference: Shi et al., "Is the deconvolution layer the same as a convolutional layer?", 2016.
    """
    phases = _phases(image, kernel, strides, padding)
    taps, features = phases.kernel.shape[:4:2], kernel.shape[-1]
    small = phases.kernel.transpose(0, 2, 4, 1, 3, 5).reshape(*taps, kernel.shape[2], math.prod(strides) * features)
    result = _unit_strides(image, small, phases.border)
    return phases.interleave(result.reshape(image.shape[0], *phases.count, *strides, features))


def transposed_by_phase(image: jax.Array, kernel: jax.Array, strides: tuple[int, int], padding: Sides) -> jax.Array:
    """The same with a convolution for each phase, none of which has a tap that is zero: less arithmetic where the kernel is no multiple
    of the strides (3x3 with strides of 2: 9 taps instead of 16), and more calls.

    Args and result as for `transposed_plain`; kernels are at least as large as the strides.
    """
    phases = _phases(image, kernel, strides, padding)

    def phase(i: int, j: int) -> jax.Array:
        down, right = (int(p >= lacking) for p, lacking in zip((i, j), phases.lacking, strict=True))
        (top, bottom), (left, after) = phases.border
        return _unit_strides(image, phases.kernel[down:, i, right:, j], ((top - down, bottom), (left - right, after)))

    rows = [jnp.stack([phase(i, j) for j in range(strides[1])], 3) for i in range(strides[0])]
    return phases.interleave(jnp.stack(rows, 3))


def _unit_strides(image: jax.Array, kernel: jax.Array, padding: Sides) -> jax.Array:
    window = Window(padding=padding)
    return product(image, kernel, window) if kernel.shape[:2] == (1, 1) else dense(image, kernel, window)
