"""Degradations on the device: (key, image) -> image, compiled, batched and replayable from the key.

Images are (..., H, W, C), float in [0, 1]. One key with a batch gives image k what it would get alone with `fold_in(key, k)`; a training
step gives every image its own key through `batched`. `recipes.parse` reads a degradation from text.
"""

from jaxrestore.degradations.batches import batched, image_keys
from jaxrestore.degradations.clip import clip
from jaxrestore.degradations.compose import blind, chain, choice
from jaxrestore.degradations.dither import dither_error_diffusion
from jaxrestore.degradations.downsample import downsample, low_resolution
from jaxrestore.degradations.erase import erase, erase_mask
from jaxrestore.degradations.haze import haze, haze_depth, scattering
from jaxrestore.degradations.missing import cover, missing, missing_mask
from jaxrestore.degradations.moire import moire
from jaxrestore.degradations.noise import gaussian, gaussian_blind, poisson, salt_and_pepper, speckle
from jaxrestore.degradations.old_photo import fading, grain
from jaxrestore.degradations.quantise import bit_depth, quantise
from jaxrestore.degradations.rain import rain, rain_streaks
from jaxrestore.degradations.recipes import Recipe, parse
from jaxrestore.degradations.scratches import scratches, scratches_mask
from jaxrestore.degradations.strokes import strokes, strokes_mask
from jaxrestore.degradations.text import text, text_mask

__all__ = [
    "Recipe",
    "batched",
    "bit_depth",
    "blind",
    "chain",
    "choice",
    "clip",
    "cover",
    "dither_error_diffusion",
    "downsample",
    "erase",
    "erase_mask",
    "fading",
    "gaussian",
    "gaussian_blind",
    "grain",
    "haze",
    "haze_depth",
    "image_keys",
    "low_resolution",
    "missing",
    "missing_mask",
    "moire",
    "parse",
    "poisson",
    "quantise",
    "rain",
    "rain_streaks",
    "salt_and_pepper",
    "scattering",
    "scratches",
    "scratches_mask",
    "speckle",
    "strokes",
    "strokes_mask",
    "text",
    "text_mask",
]
