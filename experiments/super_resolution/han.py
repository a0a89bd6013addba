r"""HAN x4 as published: RCAN with attention over its layers and over channels and space together.

Data: DIV2K 1 to 800, patches 192x192 (48x48 in the input), batches of 16; Adam at 1e-4, halved every 200,000 steps. The authors start
from RCAN's weights: give the folder of its run as transfer.source.
Expected: 32.64 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.1 dB.
Cost: 1,000,000 steps; not measured.

    jaxrestore train experiments/super_resolution/han.py data.path=DIV2K_train_HR validation.path=Set5
    jaxrestore train experiments/super_resolution/han.py steps=150 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=24 model.fields.groups=2 model.fields.depth=2 \
      model.fields.reduction=4 validation.path=Set5 validation.every=150 run=runs/han_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("han_x4"),
    data=Data("DIV2K_train_HR", patch=192, batch=16, workers=8),
    degradation="downsample:scale=4,quantise",
    loss="l1",
    steps=1_000_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(200_000, 400_000, 600_000, 800_000), ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/han",
)
