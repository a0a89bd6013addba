r"""Neighbor2Neighbor as published, at sigma 25: from single noisy images.

Data: the 44,328 images of ImageNet's validation set between 256 and 512 pixels, crops of 256x256 without flips, batches of 4, 100 epochs;
Adam at 3e-4, halved every 20 epochs; the regulariser's weight rises linearly to 2.
Expected: 32.08 dB on Kodak, 30.79 dB on BSD300 (RGB, rounded to 8 bits), within 0.1 dB.
Cost: 1,108,000 steps; not measured.

    jaxrestore train experiments/denoising/neighbor2neighbor.py data.path=ImageNet validation.path=Kodak
    jaxrestore train experiments/denoising/neighbor2neighbor.py steps=1500 data.path=T91 data.batch=8 data.patch=64 data.workers=0 \
      optimizer.rate=2e-3 model.fields.features=16 model.fields.last_features=16 model.fields.levels=3 validation.path=Set5 \
      validation.crop=128 validation.every=500 run=runs/neighbor2neighbor_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("neighbor2neighbor"),
    data=Data("ImageNet", patch=256, batch=4, augment=False, workers=8),
    degradation="gaussian:sigma=25",
    objective=Objective("neighbor2neighbor", {"weight": 2.0}),
    steps=1_108_000,
    optimizer=Optimizer(name="adam", rate=3e-4, schedule="step", halvings=4, ema=None),
    validation=Validation(crop=256, images=24, every=10_000),
    run="runs/neighbor2neighbor",
)
