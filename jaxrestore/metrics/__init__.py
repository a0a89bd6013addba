"""Scores of restored images; every one is computed, named and stored with its convention."""

from jaxrestore.metrics.bits_per_dimension import bits_per_dimension
from jaxrestore.metrics.conventions import CONVENTIONS, Convention, convention_for
from jaxrestore.metrics.gradient_error import gradient_error
from jaxrestore.metrics.lpips import lpips, lpips_heads
from jaxrestore.metrics.mae import mae
from jaxrestore.metrics.psnr import psnr
from jaxrestore.metrics.report import ImageScores, Report, score_image
from jaxrestore.metrics.rmse import rmse
from jaxrestore.metrics.ssim import ms_ssim, ssim

__all__ = [
    "CONVENTIONS",
    "Convention",
    "ImageScores",
    "Report",
    "bits_per_dimension",
    "convention_for",
    "gradient_error",
    "lpips",
    "lpips_heads",
    "mae",
    "ms_ssim",
    "psnr",
    "rmse",
    "score_image",
    "ssim",
]
