"""Classical methods: what each reaches on its task's usual images, and its time beside SciPy's or scikit-image's own function.

Run as `JAXRESTORE_SHARED=... python -m benchmarks.classical [METHOD ...]`; the images are those of the tests (tests/shared.py). Named
methods are measured anew beside the others' rows of earlier runs.

PSNR is of grey images, or of the luma of colour ones, after clipping; for x3 without 3 border pixels, rounded to 8 bits for all but noise.
The reference's function gets the same degraded images in float32, with the same settings where it has them. Both are timed on one image of
512x512 pixels, a call at a time, in turns; "ms" and the ratio are medians. Slow ones were measured on fewer images and once. Where
scikit-image is far behind: its bilateral filter reads the table of spatial weights in rows one shorter than it was made in (0.26), its
Richardson-Lucy has black beyond the border while the images were blurred periodically. Where it is ahead: its cubic is an interpolating
spline, which is sharper than Keys' cubic.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.signal
import skimage.filters
import skimage.restoration
import skimage.transform

from benchmarks.harness import RESULTS, Ratio, machine, ratio, take_turns, write
from jaxrestore.classical.catalogue import METHODS, parameters
from jaxrestore.degradations.recipes import STEPS
from jaxrestore.inference import Restorer
from jaxrestore.inference.evaluate import evaluate
from jaxrestore.inference.protocols import Pair, Protocol, made_pairs
from jaxrestore.metrics.conventions import convention_for
from tests.shared import SHARED

IMAGES = SHARED / "testdata" / "images"
SIGMA = 25 / 255
SIDE, ROUNDS = 512, 5
# Whoever takes longer than this for one image is measured on fewer of them, and once.
PATIENCE, FEW = 8.0, 2
COLUMNS = ("task", "method", "input dB", "dB", "ms", "reference", "dB more than it", "time / its time", "images")

Function = Callable[..., np.ndarray]
"""(H, W) float32 and what is known of the degradation -> (H', W')."""


@dataclass(frozen=True)
class Case:
    """A task with its images, and who is measured on it."""

    title: str
    protocol: Protocol
    data: str
    methods: tuple[str, ...]


def of_task(task: str, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(name for name, method in METHODS.items() if method.task == task and name not in without)


IMPULSES, PATTERNS = ("median", "adaptive_median"), ("moire_notch",)
CASES = [
    Case("noise, sigma 25 (Set12)", Protocol("denoise", sigma=25, channels=1), "Set12", of_task("denoising", (*IMPULSES, *PATTERNS))),
    Case(
        "salt and pepper, 10 % (Set12)",
        Protocol("denoise", recipe="salt_and_pepper:rate=0.1", channels=1),
        "Set12",
        (*IMPULSES, "gaussian_filter"),
    ),
    Case(
        "Gaussian blur 1.6, sigma 2 (Set12)",
        Protocol("deblur", psf="gaussian:sigma=1.6", sigma=2, channels=1),
        "Set12",
        of_task("deblurring"),
    ),
    Case("x3 (Set5)", Protocol("sr", scale=3, channels=1), "Set5", of_task("super_resolution")),
    Case("JPEG, quality 10 (Set5)", Protocol("jpeg", quality=10, channels=1), "Set5", of_task("jpeg")),
    Case("text over the picture (Set12)", Protocol("inpaint", recipe="text", channels=1), "Set12", of_task("inpainting")),
]
if "moire" in STEPS:
    CASES.insert(
        2,
        Case(
            "moire of a screen seen straight on (Set12)", Protocol("denoise", recipe="moire:perspective=0", channels=1), "Set12", PATTERNS
        ),
    )


def nl_means(image: np.ndarray, fast: bool, size: int, share: float) -> np.ndarray:
    return skimage.restoration.denoise_nl_means(image, size, 11, share * SIGMA, fast_mode=fast, sigma=SIGMA)


def biharmonic(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return skimage.restoration.inpaint_biharmonic(image, mask[..., 0])


def enlarged(image: np.ndarray, order: int) -> np.ndarray:
    return skimage.transform.resize(image, [3 * side for side in image.shape], order, mode="edge", anti_aliasing=False)


REFERENCES: dict[str, tuple[str, Function]] = {
    "gaussian_filter": ("skimage gaussian", lambda x, **_: skimage.filters.gaussian(x, 1.0)),
    "median": ("scipy median_filter", lambda x, **_: scipy.ndimage.median_filter(x, 3)),
    "bilateral": (
        "skimage denoise_bilateral",
        lambda x, **_: skimage.restoration.denoise_bilateral(np.clip(x, 0, 1), 11, 2.75 * SIGMA, 1.5),
    ),
    "adaptive_wiener": ("scipy wiener", lambda x, **_: scipy.signal.wiener(x, 5, SIGMA**2)),
    "nonlocal_means": ("skimage denoise_nl_means", lambda x, **_: nl_means(x, True, 5, 0.65)),
    "nonlocal_means_gaussian": ("skimage denoise_nl_means, slow", lambda x, **_: nl_means(x, False, 7, 0.8)),
    "total_variation": (
        "skimage denoise_tv_chambolle",
        lambda x, **_: skimage.restoration.denoise_tv_chambolle(x, 0.8 * SIGMA),
    ),
    # Its optimum is another; this weight is the best for it on these images.
    "bregman": ("skimage denoise_tv_bregman", lambda x, **_: skimage.restoration.denoise_tv_bregman(np.clip(x, 0, 1), 8.0)),
    "unsharp_mask": ("skimage unsharp_mask", lambda x, **_: skimage.filters.unsharp_mask(x, 2, 1, preserve_range=True)),
    "wiener_hunt_deconvolution": (
        "skimage wiener",
        lambda x, psf, **_: skimage.restoration.wiener(x, psf, 0.01, clip=False),
    ),
    "unsupervised_wiener": (
        "skimage unsupervised_wiener",
        lambda x, psf, **_: skimage.restoration.unsupervised_wiener(x, psf, clip=False, rng=0)[0],
    ),
    "richardson_lucy": (
        "skimage richardson_lucy",
        lambda x, psf, **_: skimage.restoration.richardson_lucy(np.maximum(x, 0), psf, 30),
    ),
    "nearest": ("skimage resize, order 0", lambda x, **_: enlarged(x, 0)),
    "bilinear": ("skimage resize, order 1", lambda x, **_: enlarged(x, 1)),
    "bicubic": ("skimage resize, order 3", lambda x, **_: enlarged(x, 3)),
    "biharmonic": ("skimage inpaint_biharmonic", lambda x, mask, **_: biharmonic(x, mask)),
}


class Reference:
    """A reference's function as evaluation calls it."""

    takes = ("psf", "mask")

    def __init__(self, function: Function) -> None:
        self.function = function

    def __call__(self, image: np.ndarray, **known: Any) -> np.ndarray:
        """(H, W, 1) -> (H', W', 1)."""
        return np.asarray(self.function(image[..., 0], **known), np.float32)[..., None]


def restorer(name: str, protocol: Protocol) -> Restorer:
    # The protocol blurs with a periodic border.
    text = f"{name}:border=circular" if protocol.task == "deblur" and "border" in parameters(name) else name
    return Restorer(text, scale=protocol.scale if "scale" in parameters(name) else None)


def call_on(restore: Any, pair: Pair) -> Callable[[], Any]:
    known = {name: value for name, value in pair.inputs.items() if name in restore.takes}
    return lambda: restore(pair.degraded, **known)


def seconds_once(call: Callable[[], Any]) -> float:
    call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def large_pair(case: Case) -> Pair:
    """An image of 512x512 pixels, degraded as the case is."""
    clean = next(
        pair.clean for pair in pairs_of(Case("", Protocol("denoise", sigma=0, channels=1), "Set12", ())) if pair.clean.shape[0] == SIDE
    )
    return case.protocol.degrade("large.png", clean, np.random.RandomState(0))


def pairs_of(case: Case) -> Iterator[Pair]:
    return (pair for pair in made_pairs(case.protocol, IMAGES / case.data) if isinstance(pair, Pair))


def measure(case: Case, name: str, pairs: list[Pair], large: Pair) -> tuple:
    ways = {"ours": restorer(name, case.protocol)}
    if name in REFERENCES:
        ways["reference"] = Reference(REFERENCES[name][1])
    patient = max(seconds_once(call_on(way, large)) for way in ways.values()) < PATIENCE
    used = pairs if patient else pairs[:FEW]
    convention = convention_for(case.protocol.task, case.protocol.scale, 1)
    reports = {way: evaluate(restore, used, convention) for way, restore in ways.items()}
    calls = {way: call_on(restore, large) for way, restore in ways.items()}
    seconds = take_turns(calls, ROUNDS if patient else 1)
    compared = "reference" in ways
    return (
        case.title,
        name,
        round(reports["ours"].input["psnr"], 2),
        round(reports["ours"].mean["psnr"], 2),
        round(1000 * float(np.median(seconds["ours"])), 1),
        REFERENCES[name][0] if compared else "",
        round(reports["ours"].mean["psnr"] - reports["reference"].mean["psnr"], 2) if compared else "",
        ratio(seconds["ours"], seconds["reference"]) if compared else "",
        len(used),
    )


def ordered(rows: list[tuple]) -> list[tuple]:
    """These rows and those of earlier runs for other methods, in the catalogue's order."""
    stored = RESULTS / "classical.json"
    earlier = json.loads(stored.read_text())["rows"] if stored.is_file() else []
    kept = [tuple(Ratio(**row[c]) if isinstance(row[c], dict) else row[c] for c in COLUMNS) for row in earlier]
    by_name = {row[:2]: row for row in (*kept, *rows)}
    return [by_name[case.title, name] for case in CASES for name in case.methods if (case.title, name) in by_name]


def main() -> None:
    chosen, rows = sys.argv[1:], []
    notes = " ".join((__doc__ or "").split("\n\n")[2].split())
    for case in CASES:
        methods = [name for name in case.methods if not chosen or name in chosen]
        if not methods:
            continue
        pairs, large = list(pairs_of(case)), large_pair(case)
        for name in methods:
            rows.append(measure(case, name, pairs, large))
            print(*rows[-1], sep=" | ", flush=True)
        # After every case, so that a run that is stopped has not run for nothing.
        write("classical", "Classical methods", notes, COLUMNS, ordered(rows), machine())


if __name__ == "__main__":
    main()
