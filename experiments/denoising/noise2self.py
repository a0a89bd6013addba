r"""Noise2Self with its large U-Net, from noisy images alone, one of each.

Data: the authors' are Chinese characters of 64x64; any folder of grey images does. Every 16th pixel hidden by the mean around it, the
squared error, Adam at 1e-3. Steps and batches are our own choice.
Expected: no score on photographs is published.
Cost: 20,000 steps; not measured.

    jaxrestore train experiments/denoising/noise2self.py data.path=Train400 validation.path=Set12
    jaxrestore train experiments/denoising/noise2self.py steps=400 data.path=Train400 data.batch=8 data.patch=48 data.workers=0 \
      optimizer.rate=2e-3 'model.fields.features=(8,16)' validation.path=Set12 validation.crop=128 validation.images=5 \
      validation.every=200 run=runs/noise2self_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("noise2self_unet"),
    data=Data("Train400", channels=1, patch=64, batch=64, workers=4),
    degradation="gaussian:sigma=25",
    objective=Objective("noise2self", {"width": 4}),
    loss="mse",
    steps=20_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", ema=None),
    validation=Validation(crop=128, images=12, every=1000),
    run="runs/noise2self",
)
