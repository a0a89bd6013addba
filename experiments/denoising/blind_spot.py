r"""A network with a blind spot, restored towards its own noisy input: the mean alone, without a model of the noise.

Data: ImageNet's validation images, crops of 256x256, batches of 4; Adam at 3e-4, ramped down in the last 30 % of the steps: Noise2Noise's
constants, more steps.
Expected: the authors give no score of the mean alone here; what it lacks is the pixel's own value, so it stays below Noise2Noise.
Cost: 500,000 steps; not measured.

    jaxrestore train experiments/denoising/blind_spot.py data.path=ImageNet validation.path=Kodak
    jaxrestore train experiments/denoising/blind_spot.py steps=300 data.path=T91 data.batch=4 data.patch=32 data.workers=0 \
      optimizer.rate=2e-3 optimizer.hold=210 model.fields.features=16 model.fields.last_features=16 model.fields.levels=3 \
      validation.path=Set5 validation.crop=128 validation.every=150 run=runs/blind_spot_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("blind_spot_unet"),
    data=Data("ImageNet", patch=256, batch=4, workers=8),
    degradation="gaussian:sigma=25",
    objective=Objective("blind_spot"),
    loss="mse",
    steps=500_000,
    optimizer=Optimizer(name="adam", rate=3e-4, schedule="cosine", hold=350_000, ema=None),
    validation=Validation(crop=256, images=24, every=10_000),
    run="runs/blind_spot",
)
