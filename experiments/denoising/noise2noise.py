r"""Noise2Noise as published, for Gaussian noise: targets as noisy as the inputs.

Data: the 50,000 validation images of ImageNet, crops of 256x256 without flips, batches of 4, sigma uniform in [0, 50], drawn anew for
the target; Adam with betas 0.9 and 0.99 at 3e-4, ramped down in the last 30 % of the steps (the authors' ramp is this cosine squared).
Expected: 32.39 dB on Kodak, 31.02 dB on BSD300 at sigma 25 (RGB, rounded to 8 bits), within 0.1 dB.
Cost: 300,000 steps; not measured.

    jaxrestore train experiments/denoising/noise2noise.py data.path=ImageNet validation.path=Kodak
    jaxrestore train experiments/denoising/noise2noise.py steps=400 data.path=T91 data.batch=8 data.patch=48 data.workers=0 \
      degradation=gaussian:sigma=25 optimizer.rate=1e-3 optimizer.hold=280 model.fields.features=16 'model.fields.last_features=(16,8)' \
      model.fields.levels=3 validation.path=Set5 validation.crop=128 validation.every=200 run=runs/noise2noise_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("noise2noise"),
    data=Data("ImageNet", patch=256, batch=4, augment=False, workers=8),
    degradation="gaussian:sigma=0..50",
    objective=Objective("noise2noise"),
    loss="mse",
    steps=300_000,
    optimizer=Optimizer(name="adam", rate=3e-4, schedule="cosine", hold=210_000, betas=(0.9, 0.99), ema=None),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=24, every=5000),
    run="runs/noise2noise",
)
