r"""DRUNet for colour images as published: one network for sigma 0 to 50 that is told the level.

Data: 8,694 photographs (BSD400, the 4,744 of the Waterloo Exploration Database, DIV2K and Flickr2K; data.path=...), patches 128x128,
batches of 64; the absolute error, Adam from 1e-4, halved every 100,000 steps. The grey network is model.name=drunet_gray with
data.channels=1.
Expected: 30.81 dB on CBSD68 at sigma 30 and 28.51 at 50 (RGB PSNR of the whole image).
Cost: 800,000 steps; not measured.

    jaxrestore train experiments/denoising/drunet.py data.path=photographs validation.path=CBSD68
    jaxrestore train experiments/denoising/drunet.py steps=300 data.path=BSDS400 data.batch=4 data.patch=48 data.workers=0 \
      optimizer.rate=1e-3 optimizer.schedule=cosine optimizer.ema=none 'model.fields.features=(12,16,24)' model.fields.blocks=1 \
      validation.path=Set5 validation.crop=96 validation.images=4 validation.every=150 run=runs/drunet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("drunet_color"),
    data=Data("photographs", patch=128, batch=64, workers=8),
    degradation="gaussian:sigma=0..50",
    objective=Objective("noise_level"),
    loss="l1",
    steps=800_000,
    optimizer=Optimizer(
        name="adam", rate=1e-4, schedule="milestones", milestones=tuple(range(100_000, 800_000, 100_000)), factor=0.5, ema=0.999
    ),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=16, every=5000),
    run="runs/drunet",
)
