"""Losses of two networks that translate between two kinds of images, each the other's inverse."""

from collections.abc import Callable

from jaxrestore.losses.comparison import PerImage
from jaxrestore.losses.pixel import l1
from jaxrestore.typing import Image

Distance = Callable[[Image, Image], PerImage]
"""(prediction, target) -> one value for each image."""


def cycle_consistency(x: Image, y: Image, x_returned: Image, y_returned: Image, distance: Distance = l1) -> PerImage:
    """What is lost on the way there and back: d(F(G(x)), x) + d(G(F(y)), y).

    Args:
      x: (N, H, W, C), images of the first kind.
      y: (N, H, W, C), as many of the second kind; x[k] and y[k] need not belong together.
      x_returned: F(G(x)), to the second kind and back.
      y_returned: G(F(y)).
      distance: d; the paper's is `pixel.l1`.

    Returns:
      (N,): one value for each pair. The paper weights it 10 against the adversarial losses.

    Raises:
      InputError: an image and its return differ in shape.

    Reference: Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017, equation 2.
    """
    return distance(x_returned, x) + distance(y_returned, y)


def identity(x: Image, y: Image, x_through: Image, y_through: Image, distance: Distance = l1) -> PerImage:
    """What a network changes in images that are of its target kind already: d(F(x), x) + d(G(y), y).

    Args:
      x: (N, H, W, C), images of the first kind.
      y: (N, H, W, C), as many of the second kind.
      x_through: F(x), by the network whose results are of the first kind.
      y_through: G(y), by the one whose results are of the second.
      distance: d; the paper's is `pixel.l1`.

    Returns:
      (N,): one value for each pair. The paper weights it half as much as `cycle_consistency`.

    Raises:
      InputError: an image and its result differ in shape.

    Reference: Zhu et al. 2017, section 5.2, after Taigman, Polyak and Wolf, "Unsupervised Cross-Domain Image Generation", ICLR 2017.
    """
    return distance(x_through, x) + distance(y_through, y)
