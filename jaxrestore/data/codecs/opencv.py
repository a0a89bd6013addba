"""OpenCV as a decoder of what Pillow reduces to 8 bits: quiet, and in RGB order."""

import numpy as np


def decode(data: bytes) -> np.ndarray | None:
    """The pixels (H, W, C) of an encoded picture as stored, in OpenCV's reading of it; None where it cannot be decoded."""
    import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_SILENT
    )  # it reports damage on the process's error stream; here the caller does
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if pixels is None:
        return None
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[-1]]]) if pixels.shape[-1] >= 3 else pixels
