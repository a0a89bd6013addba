r"""DRCN x4: one convolution applied sixteen times, supervised at each.

Data: the luma of the 91 images, patches 41x41; SGD with momentum, from 1e-2. The paper divides the rate by ten when the error stalls,
here at fixed steps, and lets the share of the supervised recursions decay to zero, here it is constant.
Expected: 31.53 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.2 dB because of these differences.
Cost: 400,000 steps (the paper gives no number); not measured.

    jaxrestore train experiments/super_resolution/drcn.py data.path=T91 validation.path=Set5
    jaxrestore train experiments/super_resolution/drcn.py steps=300 data.path=T91 data.batch=8 data.patch=41 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none optimizer.name=adam model.fields.features=24 model.fields.recursions=4 \
      validation.path=Set5 validation.every=150 run=runs/drcn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("drcn"),
    data=Data("T91", channels=1, color="luma", patch=41, batch=64, workers=2),
    degradation="low_resolution:scale=4",
    loss="840.5*mse",
    supervision=0.5,
    steps=400_000,
    optimizer=Optimizer(
        name="sgd",
        rate=1e-2,
        schedule="milestones",
        milestones=(100_000, 200_000, 300_000),
        factor=0.1,
        weight_decay=1e-4,
        clip=100.0,
        ema=None,
    ),
    validation=Validation(convention="luma+border4+round8", crop=256, images=5, every=5000),
    run="runs/drcn",
)
