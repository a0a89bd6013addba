"""Networks that make or complete images: translation, inpainting, conditional and autoregressive generation, video."""
