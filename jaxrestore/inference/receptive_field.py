"""The receptive field of a network, from the traced network alone: nothing is computed.

The network is traced for a tall and a wide image. From the difference follow the strides and windows, and what looks at the whole image
(`globality`); the extents of what every output pixel depends on follow operation by operation (`following`). Where that cannot be done, for
an operation without a rule, the field is measured instead (`measured_field`).
"""

import math

import flax.linen as nn

from jaxrestore.errors import InputError
from jaxrestore.inference.extent import FIRST, LAST, PLACE, Extent, Untraceable
from jaxrestore.inference.field import ReceptiveField
from jaxrestore.inference.following import Constants, Follower
from jaxrestore.inference.globality import Globality, Moving, Obstacle, check_alike, drifting, find, rate, summary
from jaxrestore.inference.measured_field import measured_field
from jaxrestore.inference.program import Program, trace
from jaxrestore.typing import Variables

# Of the traced images: what their sides are multiples of (together with the network's own multiple, so that nothing is padded inside), and
# the longer side in units of it: a short strip, a long one, and one for windows of 7.
_STRIPS = ((96, 4), (96, 14), (168, 4))
LARGEST_RADIUS = 600
"""A field that reaches farther counts as global."""


def receptive_field(model: nn.Module, variables: Variables, channels: int) -> ReceptiveField:
    """The receptive field of a network.

    Args:
      model: a network that takes (N, H, W, channels) and gives (N, scale*H, scale*W, ...), where the scale is a whole number.
      variables: its variables, or their shapes.
      channels: channels of its input.

    Returns:
      The larger of the vertical and the horizontal field. It is global where an operation looks at the whole image, where an output
      depends on pixels more than `LARGEST_RADIUS` away, or where a constant of the network is tied to places in the image.
    """
    if getattr(model, "sequential", False):
        return ReceptiveField(None, reason="each pixel is drawn after all pixels before it")
    try:
        return traced_field(model, variables, channels)
    except Untraceable:
        return measured_field(model, variables, channels)


def traced_field(model: nn.Module, variables: Variables, channels: int) -> ReceptiveField:
    """As `receptive_field`, by following the traced network only.

    Raises:
      Untraceable: it has an operation that cannot be followed.
    """
    reason = f"an output depends on pixels more than {LARGEST_RADIUS} away"
    for common, length in _STRIPS:
        period = math.lcm(common, getattr(model, "multiple", 1))
        try:
            tall = trace(model, variables, length * period, period, channels)
            wide = trace(model, variables, period, (length + 1) * period, channels)
            check_alike(tall, wide)
        except InputError as error:
            return ReceptiveField(None, reason=f"it takes images of certain sizes only: {error}")
        except Untraceable as error:
            reason = str(error)
            continue
        field = _field(tall, wide, period)
        if field is not None:
            return field
    return ReceptiveField(None, reason=reason)


def _field(tall: Program, wide: Program, period: int) -> ReceptiveField | None:
    """The field, or None where it reaches from border to border of these images."""
    found = find(tall, wide)
    multiple = shift(tall, wide)
    obstacles, sides, reached = list(found.obstacles), [], []
    for axis, program, other in ((1, tall, wide), (2, wide, tall)):
        constants = Constants(program)
        stops, floods = frozenset(s.operation for s in found.statistics), frozenset(o.operation for o in found.obstacles)
        follower = Follower(program, axis, stops, floods, constants)
        obstacles += drifting(program, Moving(program, other), follower, constants, found.levels, period)
        looked_at = [program.result, *_seen(program, found)]
        needed = [_needed(follower(value), follower.length, multiple) for value in looked_at]
        reached.append(all(n is not None for n in needed))
        sides += [max(n[i] for n in needed if n is not None) for i in (0, 1)] if reached[-1] else [0, 0]
    if obstacles:
        return ReceptiveField(None, multiple, _named(found, obstacles))
    if not all(reached):
        return None
    radius = -(-max(sides) // multiple) * multiple
    if radius > LARGEST_RADIUS:
        return None
    if not found.statistics:
        return ReceptiveField(radius, multiple, sides=tuple(sides))
    return ReceptiveField(None, multiple, _named(found, []), tuple(sides), found.passes, radius)


def _seen(program: Program, found: Globality) -> list[int]:
    """What the statistics are taken of."""
    inputs = [v for s in found.statistics for v in program.operations[s.operation].inputs]
    return list(dict.fromkeys(v for v in inputs if v in found.levels))


def _named(found: Globality, obstacles: list[Obstacle]) -> str:
    different = {o.operation: o for o in sorted(obstacles, key=lambda o: o.operation)}.values()
    return summary([*((o.what, o.place) for o in different), *((s.what, s.place) for s in found.statistics)])


def shift(tall: Program, wide: Program) -> int:
    """The number of pixels of which shifts must be multiples so that they are whole in every feature map."""
    (height, width), (other_height, other_width) = (p.shape(p.image)[1:3] for p in (tall, wide))
    multiple = 1
    for first, second in zip(tall.avals, wide.avals, strict=True):
        for a, b in zip(first.shape, second.shape, strict=True):
            if a > 1.7 * b:
                pixels = math.gcd(a - b, height - other_height)
                multiple = math.lcm(multiple, (height - other_height) // pixels)
            elif b > 1.7 * a:
                pixels = math.gcd(b - a, other_width - width)
                multiple = math.lcm(multiple, (other_width - width) // pixels)
    return multiple


def _needed(extent: Extent | None, length: int, multiple: int) -> tuple[int, int] | None:
    """Pixels needed before and after a block of `multiple`; None where the middle of the image sees a border."""
    if extent is None:
        return 0, 0
    first, last, place = (extent[i].reshape(-1) for i in (FIRST, LAST, PLACE))
    count = int(place.max()) + 1
    rows = max(round(rate(count, length) * multiple), 1)
    inside = (first > 0) & (last < length - 1)
    middle = (place >= count // 2) & (place < count // 2 + rows)
    if not inside[middle & (first <= last)].all():
        return None
    inside &= first <= last
    block = place // rows * multiple
    if not inside.any():
        return 0, 0
    return int(max((block - first)[inside].max(), 0)), int(max((last + 1 - block - multiple)[inside].max(), 0))
