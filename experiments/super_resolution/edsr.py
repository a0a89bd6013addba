r"""EDSR x4 as published: thirty-two residual blocks of 256 channels, each scaled by 0.1.

Data: DIV2K 1 to 800, patches 192x192 (48x48 in the input), batches of 16; Adam at 1e-4, halved after 200,000 steps. The authors start
from their x2 weights: train model.name=edsr_x2 degradation=downsample:scale=2,quantise first and give its folder as transfer.source.
Expected: 32.46 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.1 dB; with the mean over eight flips and rotations
more.
Cost: 300,000 steps; not measured.

    jaxrestore train experiments/super_resolution/edsr.py data.path=DIV2K_train_HR validation.path=Set5
    jaxrestore train experiments/super_resolution/edsr.py steps=150 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=32 model.fields.depth=4 validation.path=Set5 \
      validation.every=150 run=runs/edsr_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("edsr_x4"),
    data=Data("DIV2K_train_HR", patch=192, batch=16, workers=8),
    degradation="downsample:scale=4,quantise",
    loss="l1",
    steps=300_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(200_000,), ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/edsr",
)
