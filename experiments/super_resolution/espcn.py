r"""ESPCN x3 trained on 91 images: everything is computed at low resolution, and the pixels are shuffled at the end.

Data: the luma of the 91 images, patches 51x51 (17x17 in the input). The paper lowers the rate from 1e-2 to 1e-4 when the error stalls and
names no optimiser; Adam, from 1e-3, does the same here.
Expected: 32.55 dB on Set5 x3 (PSNR of the luma, 3 border pixels left out), within 0.15 dB.
Cost: 500,000 steps (the paper stops when nothing improves); not measured.

    jaxrestore train experiments/super_resolution/espcn.py data.path=T91 validation.path=Set5
    jaxrestore train experiments/super_resolution/espcn.py steps=1500 data.path=T91 data.batch=16 data.patch=51 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none validation.path=Set5 validation.every=750 run=runs/espcn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("espcn_x3"),
    data=Data("T91", channels=1, color="luma", patch=51, batch=16, workers=2),
    degradation="downsample:scale=3",
    loss="mse",
    steps=500_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="exponential", final_rate=1e-5, ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/espcn",
)
