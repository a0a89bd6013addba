r"""A plain residual network as a blind colour denoiser, sigma 0 to 55.

Data: 400 or more colour photographs (data.path=...), crops of 64x64, batches of 32; the absolute error, Adam from 1e-4, a rate of
DeepDeblur's own recipe, whose network this is. Configuration and steps are ours.
Expected: on CBSD68 at sigma 25 about what CDnCNN reaches, 31.2 dB (RGB PSNR of the whole image).
Cost: 200,000 steps; not measured.

    jaxrestore train experiments/denoising/restoration_resnet.py data.path=BSDS400 validation.path=Set5
    jaxrestore train experiments/denoising/restoration_resnet.py steps=400 data.path=BSDS400 data.batch=8 data.patch=32 \
      data.workers=0 optimizer.rate=1e-3 optimizer.ema=none model.fields.features=16 model.fields.depth=3 \
      validation.path=Set5 validation.crop=96 validation.images=4 validation.every=200 run=runs/restoration_resnet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("resnet_denoise_color"),
    data=Data("BSDS400", patch=64, batch=32, workers=4),
    degradation="gaussian_blind",
    loss="l1",
    steps=200_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="cosine", final_rate=1e-6, ema=0.999),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=16, every=5000),
    run="runs/restoration_resnet",
)
