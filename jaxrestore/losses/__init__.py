"""Losses: what is minimised. They give one value for each image; the mean over a batch is the caller's."""

from jaxrestore.losses.adversarial import GAMES, Game
from jaxrestore.losses.classification import softmax_cross_entropy
from jaxrestore.losses.cycle import cycle_consistency, identity
from jaxrestore.losses.dice import dice
from jaxrestore.losses.edges import edge, gradient, gradient_difference
from jaxrestore.losses.feature_matching import mean_feature_matching, pairwise_feature_matching
from jaxrestore.losses.frequency import fft, focal_frequency
from jaxrestore.losses.gaussian import gaussian_likelihood
from jaxrestore.losses.logistic_mixture import logistic_mixture
from jaxrestore.losses.penalties import gradient_penalty, r1
from jaxrestore.losses.perceptual import gram, perceptual, style, texture
from jaxrestore.losses.pixel import charbonnier, huber, l1, mse, psnr_loss
from jaxrestore.losses.regions import region_mse, worst_region_mse
from jaxrestore.losses.structural import l1_ms_ssim, ms_ssim, ssim
from jaxrestore.losses.total_variation import power_total_variation, total_variation
from jaxrestore.losses.variational import gaussian_divergence, negative_elbo, reparameterise, sample_gaussian

__all__ = [
    "GAMES",
    "Game",
    "charbonnier",
    "cycle_consistency",
    "dice",
    "edge",
    "fft",
    "focal_frequency",
    "gaussian_divergence",
    "gaussian_likelihood",
    "gradient",
    "gradient_difference",
    "gradient_penalty",
    "gram",
    "huber",
    "identity",
    "l1",
    "l1_ms_ssim",
    "logistic_mixture",
    "mean_feature_matching",
    "ms_ssim",
    "mse",
    "negative_elbo",
    "pairwise_feature_matching",
    "perceptual",
    "power_total_variation",
    "psnr_loss",
    "r1",
    "region_mse",
    "reparameterise",
    "sample_gaussian",
    "softmax_cross_entropy",
    "ssim",
    "style",
    "texture",
    "total_variation",
    "worst_region_mse",
]
