r"""Pixel recursive super-resolution as published: 8x8 to 32x32, the likelihood under both networks.

Data: CelebA's faces or LSUN's bedrooms, cut to 32x32; batches of 32; RMSProp at 4e-4, decay 0.95, momentum 0.9, halved every 500,000 steps.
Expected: no PSNR is published that could be compared: a sharp sample is one of many images that fit. The loss falls below that of the
conditioning network alone.
Cost: 2,000,000 steps; not measured.

    jaxrestore train experiments/generative/pixel_recursive.py data.path=CelebA
    jaxrestore train experiments/generative/pixel_recursive.py steps=300 data.path=T91 data.batch=8 data.patch=16 data.workers=0 \
      optimizer.rate=1e-3 model.fields.scale=4 model.fields.features=12 model.fields.blocks=1 model.fields.prior_features=12 \
      model.fields.prior_layers=2 model.fields.prior_hidden=32 model.fields.levels=16 run=runs/pixel_recursive_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("pixel_recursive_x4"),
    data=Data("CelebA", patch=32, batch=32, workers=8, augment=False),
    degradation="downsample:scale=4,quantise",
    objective=Objective("autoregressive"),
    steps=2_000_000,
    optimizer=Optimizer(name="rmsprop", rate=4e-4, schedule="step", halvings=3, betas=(0.9, 0.95), ema=None),
    run="runs/pixel_recursive",
)
