"""What scikit-image's filters compute, written out in NumPy, with their liberties or without.

Its published results hold the liberties: a table of exponentials, sums that end early, windows of another size. With them these functions
give its results to the last digits; without them they are the papers' formulas, which is what ours are compared with.
"""

import numpy as np


def schraudolph_exp(x: np.ndarray) -> np.ndarray:
    """The exponential by writing into the upper half of a float64: up to 4 % off (Schraudolph, Neural Computation 1999)."""
    upper = (1512775.3951951856938 * x).astype(np.int32) + np.int32(1072632447)
    return (upper.astype(np.int64) << 32).view(np.float64)


def bilateral(image: np.ndarray, sigma_color: float, sigma_spatial: float, size: int, liberties: bool) -> np.ndarray:
    """`denoise_bilateral` of (H, W, 1), black outside.

    Its table of spatial weights is made for a window one pixel larger and read as if it were not; colours are rounded down to 10000 steps.
    """
    reach, bins, top = size // 2, 10000, image.max()
    places = np.arange(-size // 2, size // 2 + 1) if liberties else np.arange(-reach, reach + 1)
    spatial = np.exp(-0.5 * (places[:, None] ** 2 + places[None, :] ** 2) / sigma_spatial**2).ravel()
    padded = np.pad(image[..., 0], reach)
    total, weights = np.zeros(image.shape[:2]), np.zeros(image.shape[:2])
    for i in range(size):
        for j in range(size):
            other = padded[i : i + image.shape[0], j : j + image.shape[1]]
            difference = np.abs(other - image[..., 0])
            if liberties:
                difference = np.minimum((difference * (bins / top)).astype(int), bins - 1) * (top / bins)
            weight = spatial[i * size + j] * np.exp(-0.5 * (difference / sigma_color) ** 2)
            total, weights = total + weight * other, weights + weight
    return (total / weights)[..., None]


def nl_means(image: np.ndarray, size: int, reach: int, h: float, sigma: float, fast: bool, liberties: bool) -> np.ndarray:
    """`denoise_nl_means` of (H, W, C).

    Liberties of both: the exponential, and weights below exp(-5) that are nothing; the slow one looks at the distance only after each row
    of the patch. That of the fast one: patches without their first row and column.
    """
    height, width, channels = image.shape
    half, margin = size // 2, size // 2 + reach + 1
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), "reflect")
    distance = np.arange(size) - half
    taps = np.ones(size) if fast else np.exp(-(distance**2) / (2 * ((size - 1) / 4) ** 2))
    patch = np.outer(taps, taps)
    patch /= patch.sum() * channels * h * h
    if fast and liberties:
        patch[0], patch[:, 0] = 0.0, 0.0
    exp = schraudolph_exp if liberties else np.exp

    def window(row: int, column: int) -> np.ndarray:
        return padded[margin + row : margin + row + height, margin + column : margin + column + width]

    total, weights = np.zeros_like(image), np.zeros((height, width, 1))
    rows, columns = np.mgrid[:height, :width]
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            terms = np.zeros((size, height, width))
            for i, j in np.ndindex(size, size):
                square = (window(i - half, j - half) - window(i - half + down, j - half + right)) ** 2 - 2 * sigma**2
                terms[i] += patch[i, j] * square.sum(-1)
            sums = np.cumsum(terms, 0)
            weight = exp(-np.maximum(sums[-1], 0.0))
            if liberties:
                weight[(sums[-1:] if fast else sums[:-1]).max(0) > 5.0] = 0.0
            if not fast:
                weight *= (rows + down >= 0) & (rows + down < height) & (columns + right >= 0) & (columns + right < width)
            total, weights = total + weight[..., None] * window(down, right), weights + weight[..., None]
    return total / weights


def tv_bregman(image: np.ndarray, weight: float, iterations: int) -> np.ndarray:
    """`denoise_tv_bregman` of (H, W, 1), isotropic, without a tolerance.

    It sweeps pixel after pixel, each seeing what is above and left of it changed already; pixels on one diagonal do not see each other and
    are computed together here. Beyond the border stands what the image held at the start, and it divides by 1 + 1 / (lambda s) where the
    method shrinks by 1 / lambda.
    """
    height, width, _ = image.shape
    lam = 2 * weight
    u, dx, dy, bx, by = np.zeros((5, height + 2, width + 2))
    u[1:-1, 1:-1] = image[..., 0]
    u[0, 1:-1], u[-1, 1:-1], u[1:-1, 0], u[1:-1, -1] = image[1, :, 0], image[-1, :, 0], image[:, 1, 0], image[:, -1, 0]
    diagonals = []
    for d in range(height + width - 1):
        r = np.arange(max(0, d - width + 1), min(height, d + 1))
        diagonals.append((r + 1, d - r + 1))
    for _ in range(iterations):
        for r, c in diagonals:
            before = u[r, c]
            ux, uy = u[r, c + 1] - before, u[r + 1, c] - before
            around = u[r + 1, c] + u[r - 1, c] + u[r, c + 1] + u[r, c - 1]
            field = dx[r, c - 1] - dx[r, c] + dy[r - 1, c] - dy[r, c] - bx[r, c - 1] + bx[r, c] - by[r - 1, c] + by[r, c]
            u[r, c] = (lam * (around + field) + weight * image[r - 1, c - 1, 0]) / (weight + 4 * lam)
            tx, ty = ux + bx[r, c], uy + by[r, c]
            share = lam * np.hypot(tx, ty) / (lam * np.hypot(tx, ty) + 1)
            dx[r, c], dy[r, c] = share * tx, share * ty
            bx[r, c], by[r, c] = tx - dx[r, c], ty - dy[r, c]
    return u[1:-1, 1:-1, None]
