r"""Noise2Void as its authors' own repetition of the BSD68 experiment: one network for grey images at sigma 25, from noisy images alone.

Data: 400 grey images of 180x180, noise added, patches of 64x64, batches of 128, 200 epochs of 400 steps; 0.198 % of the pixels hidden by
neighbours within two pixels; Adam at 4e-4, halved when the validation error rests (here at equal distances).
Expected: 27.71 dB on BSD68 (paper); 27.84 dB with eight flips and rotations (the authors' repetition). Grey, whole images, within 0.2 dB.
Cost: 80,000 steps; not measured.

    jaxrestore train experiments/denoising/noise2void.py data.path=Train400 validation.path=BSD68
    jaxrestore train experiments/denoising/noise2void.py steps=1500 data.path=Train400 data.batch=8 data.patch=64 data.workers=0 \
      objective.arguments.share=0.015 optimizer.rate=2e-3 model.fields.features=12 validation.path=Set12 validation.crop=128 \
      validation.images=5 validation.every=500 run=runs/noise2void_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("noise2void_gray"),
    data=Data("Train400", channels=1, patch=64, batch=128, workers=4),
    degradation="gaussian:sigma=25",
    objective=Objective("noise2void", {"share": 0.00198, "radius": 2}),
    loss="mse",
    steps=80_000,
    optimizer=Optimizer(name="adam", rate=4e-4, schedule="step", halvings=4, ema=None),
    validation=Validation(crop=256, images=68, every=2000),
    run="runs/noise2void",
)
