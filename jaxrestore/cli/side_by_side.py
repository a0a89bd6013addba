"""Pictures beside each other on one sheet, with captions and an enlarged detail of each."""

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_MARGIN, _CAPTION, _TEXT = 8, 32, 20
_BACKGROUND, _INK = (255, 255, 255), (20, 20, 20)


def side_by_side(pictures: Mapping[str, np.ndarray], detail: tuple[int, int, int, int]) -> np.ndarray:
    """A sheet with one column for each picture: caption, picture, and below it the detail, enlarged without smoothing to the same width.

    Args:
      pictures: caption -> (H, W, 3) uint8, all of one size.
      detail: left, top, width and height in pixels.

    Returns:
      The sheet, (H', W', 3) uint8.
    """
    height, width = next(iter(pictures.values())).shape[:2]
    left, top, detail_width, detail_height = detail
    below = round(width * detail_height / detail_width)
    size = (_MARGIN + len(pictures) * (width + _MARGIN), _CAPTION + height + _MARGIN + below + _MARGIN)
    sheet = Image.new("RGB", size, _BACKGROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_TEXT)
    for column, (caption, pixels) in enumerate(pictures.items()):
        x = _MARGIN + column * (width + _MARGIN)
        picture = Image.fromarray(pixels)
        enlarged = picture.crop((left, top, left + detail_width, top + detail_height)).resize((width, below), Image.Resampling.NEAREST)
        draw.text((x, _CAPTION // 2), caption, _INK, font, anchor="lm")
        sheet.paste(picture, (x, _CAPTION))
        sheet.paste(enlarged, (x, _CAPTION + height + _MARGIN))
    return np.asarray(sheet)
