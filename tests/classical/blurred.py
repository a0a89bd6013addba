"""A real photograph, blurred as a camera blurs: what lies beyond the picture is blurred into it."""

from functools import cache
from importlib.resources import files

import cv2
import numpy as np
import scipy.signal

SIZE = 96
# A shaken hand: not symmetric, so that a kernel turned round is noticed.
MOTION = np.zeros((11, 11), np.float32)
MOTION[[8, 8, 7, 7, 6, 5, 4, 4, 3, 3], [1, 2, 3, 4, 5, 5, 6, 7, 8, 9]] = [1, 1, 1, 1, 2, 3, 3, 2, 1, 1]
MOTION /= MOTION.sum()


@cache
def photograph() -> np.ndarray:
    """(H, W, 3), float32 in [0, 1]: the one that is shipped, at half its size."""
    encoded = np.frombuffer((files("jaxrestore.cli") / "assets" / "coffee.jpg").read_bytes(), np.uint8)
    image = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0


def blurred_photograph(psf: np.ndarray, sigma: float, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """A sharp grey crop (size, size, 1) and what a blur and noise of `sigma` grey levels make of it."""
    kh, kw = psf.shape
    grey = photograph().mean(axis=-1)[50 : 50 + size + kh - 1, 90 : 90 + size + kw - 1].astype(np.float64)
    blurred = scipy.signal.convolve2d(grey, psf, mode="valid")
    noise = np.random.default_rng(0).normal(0.0, sigma / 255.0, blurred.shape)
    # Valid convolution puts output (0, 0) where the turned kernel's centre lies.
    top, left = kh - 1 - kh // 2, kw - 1 - kw // 2
    sharp = grey[top : top + size, left : left + size]
    return sharp[..., None].astype(np.float32), (blurred + noise)[..., None].astype(np.float32)


def decibels(image: np.ndarray, reference: np.ndarray) -> float:
    """PSNR of the image clipped to [0, 1]."""
    return float(-10.0 * np.log10(np.mean(np.square(np.clip(image, 0.0, 1.0) - reference))))
