"""Networks for denoising, deblurring, artefact removal and general restoration."""
