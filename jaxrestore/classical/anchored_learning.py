"""Learning the dictionary and the regressors of A+ (`anchored_neighborhood`) from clean pictures.

Host work in NumPy over a few million patches; it needs about 500 bytes for each.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from jaxrestore.classical.anchored_neighborhood import WINDOW, AnchoredRegressors, derivatives
from jaxrestore.classical.dictionary import ksvd
from jaxrestore.errors import InputError
from jaxrestore.ops.resize import resize_taps

_FLAT = 0.1

Luma = Float[np.ndarray, "_ _ 1"]


def learn_regressors(
    pictures: Sequence[Luma],
    scale: int,
    atoms: int = 1024,
    neighbors: int = 2048,
    ridge: float = 0.1,
    sizes: Sequence[float] = tuple(0.98**k for k in range(12)),
    energy: float = 0.999,
    iterations: int = 20,
    samples: int = 5_000_000,
    seed: int = 0,
) -> AnchoredRegressors:
    """Learn A+ from clean pictures, with the paper's settings by default.

    Args:
      pictures: luma in [0, 1], each (H, W, 1).
      scale: enlargement to learn, >= 2.
      atoms: K, size of the dictionary.
      neighbors: examples in an anchor's neighbourhood, those that point most nearly its way.
      ridge: weight of the regression's penalty, with examples of length one; > 0.
      sizes: factors by which every picture is shrunk for more examples; the first, 1, alone serves the dictionary.
      energy: share of the variance of the derivatives that the principal components keep, in (0, 1].
      iterations: of K-SVD, with 3 atoms for each example.
      samples: most examples taken, drawn at random.
      seed: of all that is drawn.

    Raises:
      InputError: a number is out of its range, or the pictures give fewer examples than atoms or neighbours.

    Reference: Timofte et al., ACCV 2014, sections 3 and 4.1.
    """
    if scale < 2:
        raise InputError(f"scale is {scale}: it must be at least 2")
    if not ridge > 0.0:
        raise InputError(f"ridge is {ridge}: it must be greater than 0")
    random = np.random.default_rng(seed)
    basis = _principal_directions((features for features, _ in examples(pictures, scale, sizes[:1])), energy)
    parts = [(features @ basis, detail) for features, detail in examples(pictures, scale, sizes)]
    first = sum(len(features) for features, _ in parts[: len(pictures)])
    described, detail = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    del parts
    if min(len(described), first) < max(atoms, neighbors):
        raise InputError(f"the pictures hold {first} examples: fewer than {max(atoms, neighbors)} atoms or neighbours")
    anchors = ksvd(
        described[random.choice(first, min(first, 130_000), replace=False)], atoms, min(3, atoms, basis.shape[1]), iterations, seed
    )
    if len(described) > samples:
        chosen = np.sort(random.choice(len(described), samples, replace=False))
        described, detail = described[chosen], detail[chosen]
    # An example of length one and its detail, except where it is all but flat: there the detail is chance, magnified.
    length = np.linalg.norm(described, axis=1, keepdims=True)
    length[length < _FLAT] = 1.0
    described /= length
    detail /= length
    nearest = _nearest(described, anchors, neighbors)
    regressors = [_regress(described[n], detail[n], ridge) for n in nearest]
    return AnchoredRegressors(basis.astype(np.float32), anchors.astype(np.float32), np.stack(regressors).astype(np.float32))


def examples(pictures: Sequence[Luma], scale: int, sizes: Iterable[float]) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Pairs of patches' derivatives (n, 4 P) and missing detail (n, P), one pair of arrays for each picture and size."""
    for size in sizes:
        for picture in pictures:
            height, width = (int(size * side) // scale * scale for side in picture.shape[:2])
            # Two more low-resolution pixels than a patch: derivatives at the border are made up.
            if min(height, width) >= (WINDOW + 2) * scale:
                yield _example(picture[:height, :width] if size == 1.0 else _resized(picture, (height, width)), scale)


def _example(clean: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    small = _resized(clean, (clean.shape[0] // scale, clean.shape[1] // scale))
    enlarged = _resized(small, clean.shape[:2])
    features, detail = (_patches(image, scale)[1:-1, 1:-1] for image in (derivatives(enlarged, scale), clean - enlarged))
    return tuple(x.reshape(-1, x.shape[-1]) for x in (features, detail))


def _patches(image: np.ndarray, scale: int) -> np.ndarray:
    """`extract_patches` of a single picture, flat, without compiling anything for its size."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (WINDOW * scale, WINDOW * scale), (0, 1))[::scale, ::scale]
    return np.moveaxis(windows, 2, -1).reshape(*windows.shape[:2], -1)


def _resized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`imresize` of a single picture without compiling anything for its size."""
    rows, columns = (
        resize_taps(old, new, new / old).matrix(old).astype(np.float32) for old, new in zip(picture.shape[:2], size, strict=True)
    )
    return (rows @ picture[..., 0] @ columns.T)[..., None]


def _principal_directions(parts: Iterable[np.ndarray], energy: float) -> np.ndarray:
    covariance = sum(part.T.astype(np.float64) @ part for part in parts)
    values, vectors = np.linalg.eigh(covariance)
    share = np.cumsum(values[::-1]) / values.sum()
    count = min(int(np.searchsorted(share, energy)) + 1, len(values))
    return np.ascontiguousarray(vectors[:, ::-1][:, :count]).astype(np.float32)


def _nearest(described: np.ndarray, anchors: np.ndarray, count: int, chunk: int = 1 << 18) -> np.ndarray:
    """(K, count): the examples with the greatest absolute correlation with each anchor."""
    best, where = np.zeros((len(anchors), 0), described.dtype), np.zeros((len(anchors), 0), np.int64)
    for start in range(0, len(described), chunk):
        correlation = np.abs(anchors @ described[start : start + chunk].T)
        for_all = np.broadcast_to(np.arange(start, start + correlation.shape[1]), correlation.shape)
        best, where = np.concatenate([best, correlation], axis=1), np.concatenate([where, for_all], axis=1)
        keep = np.argpartition(best, max(best.shape[1] - count, 0), axis=1)[:, -count:]
        best, where = np.take_along_axis(best, keep, axis=1), np.take_along_axis(where, keep, axis=1)
    return where


def _regress(described: np.ndarray, detail: np.ndarray, ridge: float) -> np.ndarray:
    """(P, D): the ridge regression from the description to the detail."""
    described, detail = described.astype(np.float64), detail.astype(np.float64)
    gram = described.T @ described + ridge * np.eye(described.shape[1])
    return np.linalg.solve(gram, described.T @ detail).T
