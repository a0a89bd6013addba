"""The kinds of argument that a degradation has; a recipe's text is read by them. A choice of words is `Annotated[str, *words]`."""

import numpy as np
from jaxtyping import Array, Float

Number = float | int
"""A number, the same for all images; it is compiled in."""

Level = float | int | Float[Array | np.ndarray, "*batch"]
"""A number, or one for each image of the batch. In a recipe `low..high` draws it uniformly, once for each image."""

Interval = float | int | tuple[float | int, float | int]
"""A number, or (low, high) from which the degradation itself draws, more than once for an image where it needs to."""

Count = int | tuple[int, int]
"""A whole number, or (low, high) from which the degradation draws one, both ends included."""
