"""A U-Net of three-dimensional convolutions that restores damaged videos and fills in missing frames.

After Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, and Cicek et al., "3D U-Net", MICCAI 2016, https://arxiv.org/abs/1606.06650; a
design of this library, with no published weights.

    video, which frames are missing -> [conv, ReLU] x 2 -+-----------------------------------> concatenate -> [conv, ReLU] x 2 -> conv -> +
                     |                                   `-> 2x2 maxima -> [conv, ReLU] x 2 -> enlarge x2 -^   (levels)                   |
                     `-> missing frames by straight lines between their neighbours in time -----------------------------------------------'

Frames keep their number throughout: only height and width are halved. What is learnt is added to the frames as they are, and to the missing
ones as straight lines between their neighbours in time give them.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv_nd import Conv3d
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.typing import ArrayLike, DType, Video

_small = VarianceScaling(gain=0.1)


class VideoUNet(nn.Module):
    """An encoder and a decoder over (time, height, width).

    Attributes:
      features: channels of each scale, finest first.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, T, H, W, channels) in [0, 1] and, where frames are missing, a frame mask (N, T), True for those; what they hold does not
    matter. Gives a video of the same shape, not clipped. Other heights and widths than multiples of `multiple` are padded with the nearest
    pixel and cropped back.
    """

    features: tuple[int, ...] = (32, 64, 128)
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2 ** (len(self.features) - 1)

    @property
    def frames_seen(self) -> int:
        """Frames before a frame, and as many after it, on which it depends when it is restored."""
        return 2 * (2 * len(self.features) - 1) + 1  # two convolutions a scale, but for the coarsest on the way down and up, and the last

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct, ...]:
        """One video."""
        return (jax.ShapeDtypeStruct((1, 5, 16, 16, self.channels), jnp.float32),)

    @nn.compact
    def __call__(self, video: Video, frame_mask: ArrayLike | None = None) -> jax.Array:
        """Restore."""
        if video.ndim != 5:
            raise InputError(f"video has the shape {video.shape}: it must be (N, T, H, W, C)")
        missing = jnp.zeros(video.shape[:2], bool) if frame_mask is None else jnp.asarray(frame_mask).astype(bool)
        if missing.shape != video.shape[:2]:
            raise InputError(f"frame_mask has the shape {missing.shape}: it must be {video.shape[:2]}, True for each missing frame")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        base = fill_in_time(video, missing)
        marks = jnp.broadcast_to(missing[:, :, None, None, None], (*video.shape[:-1], 1)).astype(base.dtype)
        (height, width), step = video.shape[2:4], self.multiple
        x = jnp.concatenate([base, marks], -1)
        x = jnp.pad(x, ((0, 0), (0, 0), (0, -height % step), (0, -width % step), (0, 0)), "edge")

        def twice(x: jax.Array, features: int, name: str) -> jax.Array:
            for i in range(2):
                x = nn.relu(Conv3d(features, **types, name=f"{name}_conv_{i}")(x))
            return x

        skips = []
        for level, features in enumerate(self.features):
            if level:
                skips.append(x)
                x = nn.max_pool(x, (1, 2, 2), (1, 2, 2))
            x = twice(x, features, f"encoder_{level}")
        for level in reversed(range(len(self.features) - 1)):
            x = jnp.repeat(jnp.repeat(x, 2, 2), 2, 3)
            x = twice(jnp.concatenate([skips.pop(), x], -1), self.features[level], f"decoder_{level}")
        x = Conv3d(self.channels, kernel_init=_small, **types, name="tail")(x)
        return base + x[:, :, :height, :width].astype(base.dtype)


def fill_in_time(video: Video, missing: ArrayLike) -> jax.Array:
    """Missing frames on straight lines between the nearest frames in time that are there; at an end, the nearest one; grey without any.

    Args:
      video: (N, T, H, W, C).
      missing: (N, T), True for missing frames.

    Returns:
      A video of the same shape, the frames that are there unchanged.
    """
    video, missing = jnp.asarray(video), jnp.asarray(missing)
    count = video.shape[1]
    times = jnp.broadcast_to(jnp.arange(count), missing.shape)
    before = jax.lax.cummax(jnp.where(missing, -1, times), 1)
    after = jax.lax.cummin(jnp.where(missing, count, times), 1, reverse=True)
    nowhere = (before < 0) & (after >= count)
    before, after = jnp.where(before < 0, after, before), jnp.where(after >= count, before, after)
    before, after = jnp.clip(before, 0, count - 1), jnp.clip(after, 0, count - 1)
    share = ((times - before) / jnp.maximum(after - before, 1)).astype(video.dtype)

    def spread(x: jax.Array) -> jax.Array:
        return x[:, :, None, None, None]

    first, second = (jnp.take_along_axis(video, spread(place), 1) for place in (before, after))
    filled = (1 - spread(share)) * first + spread(share) * second
    return jnp.where(spread(missing), jnp.where(spread(nowhere), 0.5, filled), video)


CARDS = (
    ModelCard(
        name="video_unet",
        module=VideoUNet,
        task="video",
        paper="https://arxiv.org/abs/1606.06650",
        multiple=4,
        parameters=1_416_739,
        notes="a design of this library: its count is computed, none is published",
    ),
)
