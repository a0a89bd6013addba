"""Losses: what is minimised. They give one value for each image; the mean over a batch is the caller's."""
