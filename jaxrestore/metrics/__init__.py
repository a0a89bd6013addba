"""Scores of restored images; every one is computed, named and stored with its convention."""

from jaxrestore.metrics.conventions import CONVENTIONS, Convention, convention_for
from jaxrestore.metrics.mae import mae
from jaxrestore.metrics.psnr import psnr
from jaxrestore.metrics.report import ImageScores, Report, score_image
from jaxrestore.metrics.ssim import ms_ssim, ssim

__all__ = ["CONVENTIONS", "Convention", "ImageScores", "Report", "convention_for", "mae", "ms_ssim", "psnr", "score_image", "ssim"]
