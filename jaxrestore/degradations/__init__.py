"""Degradations on the device: (key, image) -> image, compiled, batched and replayable from the key.

Images are (..., H, W, C), float in [0, 1]. One key with a batch gives image k what it would get alone with `fold_in(key, k)`; a training
step gives every image its own key through `batched`. `recipes.parse` reads a degradation from text.
"""

from jaxrestore.degradations.batches import batched, image_keys
from jaxrestore.degradations.blur import (
    anisotropic_blur,
    box_blur,
    defocus,
    gaussian_blur,
    generalised_gaussian_blur,
    plateau_blur,
    sinc_blur,
)
from jaxrestore.degradations.clip import clip
from jaxrestore.degradations.compose import blind, chain, choice
from jaxrestore.degradations.dither import dither_error_diffusion
from jaxrestore.degradations.div2k import div2k
from jaxrestore.degradations.downsample import downsample, low_resolution
from jaxrestore.degradations.erase import erase, erase_mask
from jaxrestore.degradations.gopro import gopro_noise, gopro_sigma
from jaxrestore.degradations.haze import haze, haze_depth, scattering
from jaxrestore.degradations.jpeg import jpeg, quantisation_tables
from jaxrestore.degradations.missing import cover, missing, missing_mask
from jaxrestore.degradations.moire import moire
from jaxrestore.degradations.motion import average_frames, camera_shake, motion_blur, shake_kernel
from jaxrestore.degradations.noise import (
    gaussian,
    gaussian_blind,
    gaussian_varying,
    noise_level,
    poisson,
    poisson_gaussian,
    salt_and_pepper,
    speckle,
)
from jaxrestore.degradations.old_photo import fading, grain
from jaxrestore.degradations.photo import contrast, exposure, pixel_shift, vignetting
from jaxrestore.degradations.quantise import bit_depth, quantise
from jaxrestore.degradations.rain import rain, rain_streaks
from jaxrestore.degradations.recipes import Recipe, parse
from jaxrestore.degradations.scratches import scratches, scratches_mask
from jaxrestore.degradations.second_order import bsrgan, real_esrgan
from jaxrestore.degradations.strokes import strokes, strokes_mask
from jaxrestore.degradations.text import text, text_mask

__all__ = [
    "Recipe",
    "anisotropic_blur",
    "average_frames",
    "batched",
    "bit_depth",
    "blind",
    "box_blur",
    "bsrgan",
    "camera_shake",
    "chain",
    "choice",
    "clip",
    "contrast",
    "cover",
    "defocus",
    "dither_error_diffusion",
    "div2k",
    "downsample",
    "erase",
    "erase_mask",
    "exposure",
    "fading",
    "gaussian",
    "gaussian_blind",
    "gaussian_blur",
    "gaussian_varying",
    "generalised_gaussian_blur",
    "gopro_noise",
    "gopro_sigma",
    "grain",
    "haze",
    "haze_depth",
    "image_keys",
    "jpeg",
    "low_resolution",
    "missing",
    "missing_mask",
    "moire",
    "motion_blur",
    "noise_level",
    "parse",
    "pixel_shift",
    "plateau_blur",
    "poisson",
    "poisson_gaussian",
    "quantisation_tables",
    "quantise",
    "rain",
    "rain_streaks",
    "real_esrgan",
    "salt_and_pepper",
    "scattering",
    "scratches",
    "scratches_mask",
    "shake_kernel",
    "sinc_blur",
    "speckle",
    "strokes",
    "strokes_mask",
    "text",
    "text_mask",
    "vignetting",
]
