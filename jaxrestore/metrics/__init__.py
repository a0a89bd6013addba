"""Scores of restored images; every one is computed, named and stored with its convention."""

from jaxrestore.metrics.bits_per_dimension import bits_per_dimension
from jaxrestore.metrics.ciede2000 import ciede2000
from jaxrestore.metrics.comparison import Comparison, compare, usual_conventions
from jaxrestore.metrics.conventions import CONVENTIONS, Convention, convention_for
from jaxrestore.metrics.gradient_error import gradient_error
from jaxrestore.metrics.lpips import lpips, lpips_heads
from jaxrestore.metrics.mae import mae
from jaxrestore.metrics.measures import MEASURES, measure
from jaxrestore.metrics.niqe import NiqeModel, fit_niqe, niqe
from jaxrestore.metrics.psnr import psnr
from jaxrestore.metrics.report import ImageScores, Report, score_image
from jaxrestore.metrics.rmse import rmse
from jaxrestore.metrics.ssim import ms_ssim, ssim

__all__ = [
    "CONVENTIONS",
    "MEASURES",
    "Comparison",
    "Convention",
    "ImageScores",
    "NiqeModel",
    "Report",
    "bits_per_dimension",
    "ciede2000",
    "compare",
    "convention_for",
    "fit_niqe",
    "gradient_error",
    "lpips",
    "lpips_heads",
    "mae",
    "measure",
    "ms_ssim",
    "niqe",
    "psnr",
    "rmse",
    "score_image",
    "ssim",
    "usual_conventions",
]
