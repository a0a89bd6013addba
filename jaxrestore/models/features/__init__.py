"""Networks for the features of images, which perceptual losses and metrics compare; they restore nothing and have no cards."""
