"""JPEG compression: what a file written by libjpeg and read again has lost, without the file.

Follows libjpeg(-turbo) to the integers that it rounds to on the way: colours, the means of the subsampled chroma, both passes of its
accurate transform in each direction, the quantised coefficients and its "fancy" (triangular) upsampling. The result is the same to the bit.

Layout is what makes it fast. Rows are transformed 64 values at a time by one product with a block-diagonal matrix; then whole rows are
gathered by their place in the block, which makes the columns' transform one wide product, and the inverse starts from there. Nothing is
ever cut into 8x8 blocks.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxrestore.degradations.arguments import Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_image, check_range
from jaxrestore.ops.jpeg_tables import STANDARD
from jaxrestore.typing import Image, Key

SUBSAMPLINGS = {444: (1, 1), 422: (1, 2), 420: (2, 2)}
"""name -> how many rows and columns share a chroma value."""

ROUNDINGS = ("straight_through", "cubic")

# Colours in 16 bits, so that single precision adds them without rounding; chroma of 1/2 goes down.
_FORWARD = np.array([[19595, 38470, 7471], [-11059, -21709, 32768], [32768, -27439, -5329]]) / 2**16
_OFFSETS = (0.5, 128.5 - 2**-16, 128.5 - 2**-16)
_BACKWARD = np.array([[0, 91881], [-22554, -46802], [116130, 0]]) / 2**16


def _transform_matrix() -> np.ndarray:
    """libjpeg's one-dimensional transform: sqrt(8) times the orthonormal one, but for its constants of 13 bits.

    The matrix that the factorised transform amounts to, since it rounds only at its end; the inverse is the transpose of the same steps.

    Reference: Loeffler, Ligtenberg and Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications", ICASSP 1989, figure 1.
    """

    def fixed(constant: float) -> float:
        return round(constant * 2**13) / 2**13

    def cosine(k: int) -> float:
        return np.sqrt(2.0) * np.cos(k * np.pi / 16)

    x = np.eye(8)
    sums, differences = x[:4] + x[:3:-1], x[:4] - x[:3:-1]
    outer, inner = sums[0] + sums[3], sums[1] + sums[2]
    matrix = np.zeros((8, 8))
    matrix[0], matrix[4] = outer + inner, outer - inner
    outer, inner = sums[0] - sums[3], sums[1] - sums[2]
    both = fixed(cosine(6)) * (outer + inner)
    matrix[2], matrix[6] = both + fixed(cosine(2) - cosine(6)) * outer, both - fixed(cosine(2) + cosine(6)) * inner
    d0, d1, d2, d3 = differences
    all_four = fixed(cosine(3)) * (d0 + d1 + d2 + d3)
    z1, z2 = -fixed(cosine(3) - cosine(7)) * (d3 + d0), -fixed(cosine(1) + cosine(3)) * (d2 + d1)
    z3, z4 = all_four - fixed(cosine(3) + cosine(5)) * (d3 + d1), all_four - fixed(cosine(3) - cosine(5)) * (d2 + d0)
    matrix[7] = fixed(-cosine(1) + cosine(3) + cosine(5) - cosine(7)) * d3 + z1 + z3
    matrix[5] = fixed(cosine(1) + cosine(3) - cosine(5) + cosine(7)) * d2 + z2 + z4
    matrix[3] = fixed(cosine(1) + cosine(3) + cosine(5) - cosine(7)) * d1 + z2 + z3
    matrix[1] = fixed(cosine(1) + cosine(3) - cosine(5) - cosine(7)) * d0 + z1 + z4
    return matrix


_PASS = _transform_matrix()
# Between the two passes two bits more are kept.
_EXTRA = 4.0


def jpeg(key: Key, image: Image, quality: Level, subsampling: int = 420, rounding: str = "straight_through") -> Image:
    """Compress as JPEG and read again, as libjpeg does with its accurate transform; Pillow's and OpenCV's default.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1], RGB or grey; values outside are clipped, and all are rounded to 8 bits first.
      quality: 1..100, rounded to a whole number; one for all, or one for each image. It may be traced and is not compiled in.
      subsampling: of the chroma, 420 (4:2:0, the default of most programs), 422 or 444; no matter for grey.
      rounding: what derivatives see of it. "straight_through": nothing, and the result is the file's; "cubic": coefficients become
        r + (x - r) ** 3, r being the nearest whole number, which is smooth between and not quite the file's.

    Returns:
      (..., H, W, C), multiples of 1 / 255 unless rounding is "cubic".

    Raises:
      InputError: quality is outside 1..100, an unknown subsampling or rounding, or neither 1 nor 3 channels.

    Reference: ITU-T T.81; JFIF 1.02; Shin and Song, "JPEG-resistant Adversarial Images", NIPS Workshops 2017 (the cubic rounding).
    """
    check_range("quality", quality, low=1, high=100)
    check_image(image)
    if subsampling not in SUBSAMPLINGS:
        raise InputError(f"subsampling is {subsampling}: it must be 444, 422 or 420")
    if rounding not in ROUNDINGS:
        raise InputError(f"rounding is {rounding!r}: it must be one of {', '.join(ROUNDINGS)}")
    if image.shape[-1] not in (1, 3):
        raise InputError(f"image has {image.shape[-1]} channels: a JPEG file has 1 or 3")
    return each_image(_jpeg, key, image, quality, subsampling=subsampling, rounding=rounding)


def quantisation_tables(quality: Level) -> tuple[Int[Array, "8 8"], Int[Array, "8 8"]]:
    """The tables of luma and chroma at a quality, scaled as the Independent JPEG Group does.

    Args:
      quality: 1..100, rounded to a whole number.

    Returns:
      Two (8, 8) of whole numbers 1..255, vertical frequency first.

    Raises:
      InputError: quality is outside 1..100.
    """
    check_range("quality", quality, low=1, high=100)
    quality = jnp.floor(jnp.asarray(quality) + 0.5).astype(jnp.int32)
    percent = jnp.where(quality < 50, 5000 // jnp.maximum(quality, 1), 200 - 2 * quality)
    luma, chroma = (jnp.clip((table * percent + 50) // 100, 1, 255) for table in STANDARD)
    return luma, chroma


def _jpeg(key: jax.Array, image: jax.Array, quality: jax.Array, subsampling: int, rounding: str) -> jax.Array:
    height, width, channels = image.shape
    if not image.size:
        return image
    luma_table, chroma_table = (table.astype(image.dtype) for table in quantisation_tables(quality))
    rows, columns = SUBSAMPLINGS[subsampling] if channels == 3 else (1, 1)
    planes = jnp.moveaxis(_round(jnp.clip(image, 0.0, 1.0) * 255.0), -1, 0)
    planes = jnp.pad(planes, ((0, 0), (0, -height % (8 * rows)), (0, -width % (8 * columns))), "edge")
    code = partial(_code, rounding=_round_away if rounding == "straight_through" else _round_cubic)
    if channels == 1:
        result = code(planes, luma_table)[:, :height, :width]
    else:
        red, green, blue = planes
        luma, *chroma = (
            _floor(r * red + g * green + b * blue + offset) for (r, g, b), offset in zip(_FORWARD.tolist(), _OFFSETS, strict=True)
        )
        chroma = jnp.stack(chroma)
        luma = code(luma[None], luma_table)[0, :height, :width]
        chroma = code(_shrink(chroma, rows, columns), chroma_table)
        # Beyond the picture the decoder repeats the last value that belongs to it.
        chroma = chroma[:, : -(-height // rows), : -(-width // columns)]
        from_blue, from_red = _enlarge(chroma, rows, columns)[:, :height, :width] - 128.0
        result = jnp.stack([luma + _round(b * from_blue + r * from_red) for b, r in _BACKWARD.tolist()])
    return jnp.moveaxis(jnp.clip(result, 0.0, 255.0), 0, -1) / 255.0


def _code(planes: jax.Array, table: jax.Array, rounding: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """Transform, quantise, and back: (P, H, W) of 0..255, sides multiples of 8."""
    count, height, width = planes.shape
    rows = _round(_times_rows(planes - 128.0, _EXTRA * _PASS.T))
    # (place in the block, plane, row of blocks, column): whole rows move, and the columns' transform is one product.
    rows = jnp.moveaxis(rows.reshape(count, height // 8, 8, width), 2, 0)
    coefficients = _round(_times_columns(_PASS / _EXTRA, rows))
    steps = jnp.tile(table, (1, width // 8))[:, None, None, :]
    coefficients = rounding(coefficients / (8.0 * steps)) * steps
    columns = _round(_times_columns(_EXTRA * _PASS.T, coefficients))
    columns = jnp.moveaxis(columns, 0, 2).reshape(count, height, width)
    return jnp.clip(_round(_times_rows(columns, _PASS / (8.0 * _EXTRA))) + 128.0, 0.0, 255.0)


def _times_rows(planes: jax.Array, matrix: np.ndarray) -> jax.Array:
    """Every eight values of a row times an (8, 8) matrix: 64 at a time, which products are fast at."""
    blocks = jnp.asarray(np.kron(np.eye(8), matrix), planes.dtype)
    return jnp.matmul(planes.reshape(-1, 64), blocks, precision="highest").reshape(planes.shape)


def _times_columns(matrix: np.ndarray, rows: jax.Array) -> jax.Array:
    return jnp.tensordot(jnp.asarray(matrix, rows.dtype), rows, 1, precision="highest")


def _shrink(planes: jax.Array, rows: int, columns: int) -> jax.Array:
    """Means of 1x2 or 2x2 values; halves go down and up in turn, so that none is favoured."""
    if (rows, columns) == (1, 1):
        return planes
    if rows == 2:
        planes = planes[:, 0::2] + planes[:, 1::2]
    total = planes[..., 0::2] + planes[..., 1::2]
    turn = (jnp.arange(total.shape[-1], dtype=planes.dtype) % 2)[None, None, :]
    bias = 1.0 + turn if rows == 2 else turn
    return _floor((total + bias) / (rows * columns))


def _enlarge(planes: jax.Array, rows: int, columns: int) -> jax.Array:
    """Twice as many columns, and rows: three quarters of the nearest and a quarter of the next value, rounded once."""
    if (rows, columns) == (1, 1):
        return planes
    # Columns first: they are woven together value by value, which is slow, and there are half as many rows then.
    padded = jnp.pad(planes, ((0, 0), (0, 0), (1, 1)), "edge")
    near = 3.0 * planes
    wide = jnp.stack([near + padded[..., :-2], near + padded[..., 2:]], axis=-1).reshape(*planes.shape[:2], -1)
    turn = (jnp.arange(wide.shape[-1], dtype=planes.dtype) % 2)[None, None, :]
    if rows == 1:
        return _floor((wide + (1.0 + turn)) / 4.0)
    padded = jnp.pad(wide, ((0, 0), (1, 1), (0, 0)), "edge")
    near = 3.0 * wide + (8.0 - turn)
    high = jnp.stack([near + padded[:, :-2], near + padded[:, 2:]], axis=2)
    return _floor(high.reshape(len(planes), -1, wide.shape[-1]) / 16.0)


def _straight_through(rounded: Callable[[jax.Array], jax.Array]) -> Callable[[jax.Array], jax.Array]:
    """The same function with the derivative 1."""
    function = jax.custom_jvp(rounded)
    function.defjvp(lambda primals, tangents: (rounded(*primals), tangents[0]))
    return function


_floor = _straight_through(jnp.floor)
_round = _straight_through(lambda x: jnp.floor(x + 0.5))
_round_away = _straight_through(lambda x: jnp.copysign(jnp.floor(jnp.abs(x) + 0.5), x))


def _round_cubic(x: jax.Array) -> jax.Array:
    nearest = jax.lax.stop_gradient(jnp.round(x))
    return nearest + (x - nearest) ** 3
