r"""The Noise2Noise network with shared layers as its repository trains it.

Data: 2,000 photographs of COCO, crops of 64x64, batches of 4, Gaussian noise of a standard deviation uniform in [0, 50]; the squared
error; Adam with betas 0.9 and 0.99 at 1e-3, halved when the validation error rests (here at equal distances), 100 epochs.
Expected: no table is published. The weights that it offers give 31.06 dB on Set5 at sigma 25 (RGB, whole images).
Cost: 50,000 steps; not measured.

    jaxrestore train experiments/denoising/noise2noise_shared.py data.path=COCO validation.path=Set5
    jaxrestore train experiments/denoising/noise2noise_shared.py steps=400 data.path=T91 data.batch=8 data.patch=48 data.workers=0 \
      degradation=gaussian:sigma=25 optimizer.ema=none model.fields.features=16 'model.fields.last_features=(16,8)' \
      model.fields.levels=3 validation.path=Set5 validation.crop=128 validation.every=200 run=runs/noise2noise_shared_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("noise2noise_shared"),
    data=Data("COCO", patch=64, batch=4, augment=False, workers=4),
    degradation="gaussian:sigma=0..50",
    objective=Objective("noise2noise"),
    loss="mse",
    steps=50_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="step", halvings=3, betas=(0.9, 0.99), ema=None),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=16, every=2000),
    run="runs/noise2noise_shared",
)
