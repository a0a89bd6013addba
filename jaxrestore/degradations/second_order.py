"""Second-order degradations: blur, resizing, noise and compression, twice, with everything drawn: BSRGAN and Real-ESRGAN.

The sizes in between are drawn too. Each image lies on a canvas of a size that is compiled in (`canvas`), resizing is a product with
matrices made from the drawn sizes, and each step works on the smallest of a few canvases that holds the image. So the sizes are exactly
those that the published procedures draw, and not a few chosen ones. Two things differ from the published code: beyond its border an image
goes on with its edge pixels (there it is mirrored, or filled with zeros before compression), and of the last blocks of a compressed image
the rest is that continuation.

Where the branches that an image takes matter for speed, on a CPU, images are computed one after the other; elsewhere all at once.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.canvas import (
    MARGIN,
    METHODS,
    canvas_side,
    correlate,
    each_alone_on_cpu,
    lay_out,
    on_smallest,
    resize,
    shrink_gaussian,
    take_off,
    worthwhile,
)
from jaxrestore.degradations.jpeg import jpeg
from jaxrestore.degradations.noise import GREY_LEVELS
from jaxrestore.degradations.random_kernels import bsrgan_kernel, esrgan_final_sinc, esrgan_kernel
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.color import rgb_to_gray
from jaxrestore.ops.poisson import poisson_counts
from jaxrestore.typing import Image, Key

# Real-ESRGAN, options of the published training: probabilities of enlarging, shrinking and keeping, and ranges.
_RESIZE = ((0.2, 0.7, 0.1), (0.15, 1.5)), ((0.3, 0.4, 0.3), (0.3, 1.2))
_SIGMA_BLUR = (0.2, 3.0), (0.2, 1.5)
_SIGMA_NOISE = (1.0, 30.0), (1.0, 25.0)
_POISSON = (0.05, 3.0), (0.05, 2.5)
_GRAY_NOISE, _SECOND_BLUR, _FINAL_SINC = 0.4, 0.8, 0.8
_QUALITY = (30.0, 95.0)
_SIZES = (0.5, 1.0, 1.5)  # of the canvases after the first resizing, in units of the image's


def real_esrgan(key: Key, image: Image, scale: int = 4) -> Image:
    """Low resolution as Real-ESRGAN's training makes it: a second-order degradation that ends with a sinc filter and JPEG.

    Blur (Gaussian, generalised, plateau or sinc), resize, Gaussian or Poisson noise and JPEG; the same once more with other ranges; then
    resizing to the result's size with a sinc filter, before or after the second JPEG; and rounding to 8 bits. The sharpening of the
    target that goes with it in training is not part of the degradation.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1], RGB or one channel.
      scale: how many times smaller the result is, >= 1; 4 and 2 were published.

    Returns:
      (..., ceil(H / scale), ceil(W / scale), C) in [0, 1].

    Raises:
      InputError: scale is below 1, or the image has neither one nor three channels.

    Reference: Wang et al., "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure Synthetic Data", ICCV Workshops 2021,
      section 3, with the constants of the released options.
    """
    return _second_order(_real_esrgan, key, image, scale)


def bsrgan(key: Key, image: Image, scale: int = 4) -> Image:
    """Low resolution as BSRGAN's training makes it: two blurs, two shrinkings, noise and JPEG in random order, and JPEG at the end.

    With scale 4, one time in four the image is first halved and the rest shrinks by 2. The camera simulation that the paper applies one
    time in four needs its authors' network and is left out, as in their code without that network.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1], RGB or one channel.
      scale: how many times smaller the result is, >= 1; 4 and 2 were published.

    Returns:
      (..., ceil(H / scale), ceil(W / scale), C) in [0, 1].

    Raises:
      InputError: scale is below 1, or the image has neither one nor three channels.

    Reference: Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image Super-Resolution", ICCV 2021, section 3, with the
      constants of the released code.
    """
    return _second_order(_bsrgan, key, image, scale)


def _second_order(function: Callable[..., jax.Array], key: Key, image: Image, scale: int) -> jax.Array:
    check_range("scale", scale, low=1)
    if image.shape[-1] not in (1, 3):
        raise InputError(f"image has {image.shape[-1]} channels: it must have 1 or 3")
    return each_image(_alone, key, image, one=function, scale=scale)


def _alone(key: Key, image: jax.Array, one: Callable[..., jax.Array], scale: int) -> jax.Array:
    rgb = jnp.broadcast_to(jnp.clip(image, 0.0, 1.0), (*image.shape[:2], 3))
    low = each_alone_on_cpu(partial(one, scale=scale))(key, rgb)
    return low if image.shape[-1] == 3 else rgb_to_gray(low)


def _real_esrgan(key: Key, image: jax.Array, scale: int) -> jax.Array:
    keys = jax.random.split(key, 14)
    whole = jnp.asarray(image.shape[:2])
    final = tuple(-(-side // scale) for side in image.shape[:2])
    first, second = (_drawn_factor(k, *resizing) for k, resizing in zip(keys[:2], _RESIZE, strict=True))
    size = jnp.maximum(jnp.floor(whole * first).astype(int), 1)
    small = jnp.maximum(jnp.floor(whole / scale * second).astype(int), 1)
    small_sides = tuple(canvas_side(int(side * _RESIZE[1][1][1]) + 1) for side in final)
    blurred = correlate(lay_out(image), esrgan_kernel(keys[2], _SIGMA_BLUR[0])[0])

    second_kernel, _ = esrgan_kernel(keys[7], _SIGMA_BLUR[1])

    def between(factor: float) -> jax.Array:
        """From the first resizing to the second, on a canvas for images up to `factor` times as large."""
        sides = tuple(canvas_side(int(side * factor)) for side in image.shape[:2])
        canvas = resize(blurred, whole, size, sides, _drawn_method(keys[3]))
        canvas = jpeg(keys[5], _esrgan_noise(keys[4], canvas, 0), _drawn_quality(keys[5]))
        blur = jax.random.bernoulli(keys[6], _SECOND_BLUR)
        canvas = jax.lax.cond(blur, lambda: correlate(canvas, second_kernel), lambda: canvas)
        return resize(canvas, size, small, small_sides, _drawn_method(keys[8]))

    longest = max(image.shape[:2])
    kept = worthwhile([canvas_side(int(longest * factor)) for factor in _SIZES])
    factors = [factor for factor in _SIZES if canvas_side(int(longest * factor)) in kept]
    canvas = jax.lax.switch(jnp.sum(jnp.asarray(factors[:-1]) < first), [partial(between, factor) for factor in factors])
    canvas = _esrgan_noise(keys[9], canvas, 1)
    quality, jpeg_first = _drawn_quality(keys[10]), jax.random.bernoulli(keys[11])
    canvas = jax.lax.cond(jpeg_first, lambda: jpeg(keys[10], canvas, quality), lambda: canvas)
    low = resize(canvas, small, jnp.asarray(final), tuple(canvas_side(side) for side in final), _drawn_method(keys[12]))
    sinc_key, filter_key = jax.random.split(keys[13])
    low = jax.lax.cond(jax.random.bernoulli(sinc_key, _FINAL_SINC), lambda: correlate(low, esrgan_final_sinc(filter_key)[0]), lambda: low)
    low = jax.lax.cond(jpeg_first, lambda: low, lambda: jpeg(keys[10], low, quality))
    return jnp.round(jnp.clip(take_off(low, final), 0.0, 1.0) * GREY_LEVELS) / GREY_LEVELS


def _drawn_factor(key: Key, probabilities: tuple[float, float, float], interval: tuple[float, float]) -> jax.Array:
    kind_key, factor_key = jax.random.split(key)
    kind = jax.random.choice(kind_key, 3, p=jnp.asarray(probabilities))
    low, high = jnp.asarray([1.0, interval[0], 1.0])[kind], jnp.asarray([interval[1], 1.0, 1.0])[kind]
    return low + (high - low) * jax.random.uniform(factor_key)


def _drawn_method(key: Key) -> jax.Array:
    return jax.random.randint(key, (), 0, len(METHODS))


def _drawn_quality(key: Key) -> jax.Array:
    return jax.random.uniform(key, minval=_QUALITY[0], maxval=_QUALITY[1])


def _esrgan_noise(key: Key, canvas: jax.Array, order: int) -> jax.Array:
    """Gaussian or Poisson noise, as often one as the other, in color or grey; clipped."""
    kind_key, gray_key, level_key, noise_key = jax.random.split(key, 4)
    poisson, gray = jax.random.bernoulli(kind_key), jax.random.bernoulli(gray_key, _GRAY_NOISE)
    (sigma_low, sigma_high), (factor_low, factor_high) = _SIGMA_NOISE[order], _POISSON[order]
    share = jax.random.uniform(level_key)
    levels = jnp.round(jnp.where(gray, rgb_to_gray(canvas), canvas) * GREY_LEVELS)

    def gaussian() -> jax.Array:
        sigma = (sigma_low + share * (sigma_high - sigma_low)) / GREY_LEVELS
        return _each_channel(lambda key, plane: sigma * jax.random.normal(key, plane.shape, plane.dtype), noise_key, canvas, gray)

    def counted() -> jax.Array:
        peak = 2.0 ** jnp.ceil(jnp.log2(_number_of_levels(levels)))
        factor = factor_low + share * (factor_high - factor_low)

        def counts(key: Key, light: jax.Array) -> jax.Array:
            return factor * (poisson_counts(key, light * peak) / peak - light)

        return _each_channel(counts, noise_key, levels / GREY_LEVELS, gray)

    return jnp.clip(canvas + jax.lax.cond(poisson, counted, gaussian), 0.0, 1.0)


def _each_channel(draw: Callable[[Key, jax.Array], jax.Array], key: Key, canvas: jax.Array, gray: jax.Array) -> jax.Array:
    """Noise for each channel of a canvas, or only for the first and the same for all."""
    planes = jnp.moveaxis(canvas, -1, 0)

    def add(i: jax.Array, noise: jax.Array) -> jax.Array:
        return noise.at[i].set(draw(jax.random.fold_in(key, i), planes[i]))

    noise = jax.lax.fori_loop(0, jnp.where(gray, 1, len(planes)), add, jnp.zeros_like(planes))
    return jnp.moveaxis(jnp.where(gray, noise[:1], noise), 0, -1)


def _number_of_levels(levels: jax.Array) -> jax.Array:
    """How many of the whole numbers 0..255 occur: each one a bit, all of them together in eight words."""
    levels = levels.astype(jnp.uint32)
    word, bit = levels // 32, jnp.uint32(1) << (levels % 32)
    found = [jax.lax.reduce(jnp.where(word == i, bit, 0), jnp.uint32(0), jax.lax.bitwise_or, (0, 1, 2)) for i in range(8)]
    return jnp.sum(jax.lax.population_count(jnp.stack(found))).astype(jnp.float32)


def _bsrgan(key: Key, image: jax.Array, scale: int) -> jax.Array:
    half_key, method_key, order_key, steps_key, jpeg_key = jax.random.split(key, 5)
    whole = jnp.asarray(image.shape[:2])
    final = tuple(-(-side // scale) for side in image.shape[:2])
    canvas, size = lay_out(image), whole
    factor = jnp.asarray(float(scale))
    if scale == 4:
        halved = jax.random.bernoulli(half_key, 0.25)
        size = jnp.where(halved, (whole + 1) // 2, whole)
        factor = jnp.where(halved, 2.0, factor)
        sides, method = canvas.shape[:2], _drawn_method(method_key)
        canvas = jax.lax.cond(halved, lambda: resize(canvas, whole, size, sides, method), lambda: canvas)
    order = jax.random.permutation(order_key, 7)
    # The shrinking to the result's size never comes before the other one.
    early, late = jnp.argmax(order == 2), jnp.argmax(order == 3)
    order = jnp.where(early > late, order.at[early].set(3).at[late].set(2), order)
    steps = [
        partial(step, factor, jnp.asarray(final)) for step in (_blur, _blur, _shrink_some, _shrink_all, _noise, _sometimes_jpeg, _keep)
    ]

    def apply(i: jax.Array, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        return jax.lax.switch(order[i], steps, jax.random.fold_in(steps_key, i), *state)

    canvas, size = jax.lax.fori_loop(0, 7, apply, (canvas, size))
    low = canvas[: canvas_side(final[0]), : canvas_side(final[1])]
    return take_off(jpeg(jpeg_key, low, _whole_quality(jpeg_key)), final)


def _smaller_sides(canvas: jax.Array) -> list[int]:
    side = max(canvas.shape[:2]) - 2 * MARGIN
    return [canvas_side(side // 4), canvas_side(side // 2)]


def _blur(factor: jax.Array, final: jax.Array, key: Key, canvas: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
    kernel, _ = bsrgan_kernel(key, factor)
    return on_smallest(lambda part: correlate(part, kernel), canvas, size, _smaller_sides(canvas)), size


def _shrink_some(factor: jax.Array, final: jax.Array, key: Key, canvas: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
    kind_key, factor_key, method_key, sigma_key = jax.random.split(key, 4)
    by_method = jax.random.bernoulli(kind_key, 0.75)
    divisor = jax.random.uniform(factor_key, minval=1.0, maxval=2.0 * factor)
    sigma = jax.random.uniform(sigma_key, minval=0.1, maxval=0.6 * factor)
    new = jnp.where(by_method, jnp.floor(size / divisor), jnp.ceil(size / factor)).astype(size.dtype)
    new, sides = jnp.maximum(new, 1), canvas.shape[:2]
    canvas = jax.lax.cond(
        by_method,
        lambda: resize(canvas, size, new, sides, _drawn_method(method_key)),
        lambda: shrink_gaussian(canvas, factor, new, sides, sigma),
    )
    return jnp.clip(canvas, 0.0, 1.0), new


def _shrink_all(factor: jax.Array, final: jax.Array, key: Key, canvas: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
    final = final.astype(size.dtype)
    return jnp.clip(resize(canvas, size, final, canvas.shape[:2], _drawn_method(key)), 0.0, 1.0), final


def _noise(factor: jax.Array, final: jax.Array, key: Key, canvas: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
    keys = jax.random.split(key, 5)
    sigma = jax.random.randint(keys[0], (), 2, 26) / GREY_LEVELS
    kind = jax.random.uniform(keys[1])

    # The released code takes absolute values of a covariance's entries, and of the eigenvalues where that made some negative.
    turn = jnp.linalg.eigh(_squared(jax.random.uniform(keys[3], (3, 3))))[1]
    spread = jax.random.uniform(keys[4], (3,))
    values, vectors = jnp.linalg.eigh(jnp.abs(turn.T @ (spread[:, None] * turn)))
    mix = (25 / GREY_LEVELS) * jnp.sqrt(jnp.abs(values))[:, None] * vectors.T
    mix = jnp.where((kind >= 0.4) & (kind <= 0.6), mix, sigma * jnp.eye(3)).astype(canvas.dtype)

    def add(part: jax.Array) -> jax.Array:
        white = _each_channel(lambda key, plane: jax.random.normal(key, plane.shape, plane.dtype), keys[2], part, kind < 0.4)
        return jnp.clip(part + sum(white[..., i : i + 1] * mix[i][None, None, :] for i in range(3)), 0.0, 1.0)

    return on_smallest(add, canvas, size, _smaller_sides(canvas)), size


def _squared(matrix: jax.Array) -> jax.Array:
    return matrix @ matrix.T


def _sometimes_jpeg(factor: jax.Array, final: jax.Array, key: Key, canvas: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
    some_key, quality_key = jax.random.split(key)

    def compress() -> jax.Array:
        return on_smallest(lambda part: jpeg(quality_key, part, _whole_quality(quality_key)), canvas, size, _smaller_sides(canvas))

    return jax.lax.cond(jax.random.bernoulli(some_key, 0.9), compress, lambda: canvas), size


def _keep(factor: jax.Array, final: jax.Array, key: Key, canvas: jax.Array, size: jax.Array) -> tuple[jax.Array, jax.Array]:
    return canvas, size


def _whole_quality(key: Key) -> jax.Array:
    return jax.random.randint(key, (), 30, 96).astype(float)
