r"""VDSR as published: twenty layers learn the difference to bicubic interpolation, one network for x2, x3 and x4.

Data: the luma of 291 images (the 91 and 200 of BSD), patches 41x41 at a scale drawn for each; SGD at 0.1, a tenth after each quarter,
with clipping that follows the rate. The loss is the paper's half sum over the patch; its clipping bound is not published, 1e-4 is ours
(with 1e-3 the error oscillates).
Expected: 37.53 dB on Set5 x2, 33.66 x3, 31.35 x4 (PSNR of the luma, `scale` border pixels left out), within 0.1 dB.
Cost: 9,960 steps; not measured.

    jaxrestore train experiments/super_resolution/vdsr.py data.path=T91_BSD200 validation.path=Set5
    jaxrestore train experiments/super_resolution/vdsr.py steps=500 data.path=T91 data.batch=16 data.patch=41 data.workers=0 \
      optimizer.rate=0.1 optimizer.ema=none model.fields.features=32 model.fields.depth=8 validation.path=Set5 validation.every=250 \
      run=runs/vdsr_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("vdsr"),
    data=Data("T91", channels=1, color="luma", patch=41, batch=64, workers=2),
    degradation="low_resolution:scale=2..4",
    loss="840.5*mse",
    steps=9_960,
    optimizer=Optimizer(
        name="sgd",
        rate=0.1,
        schedule="milestones",
        milestones=(2_490, 4_980, 7_470),
        factor=0.1,
        weight_decay=1e-4,
        adjustable_clip=1e-4,
        ema=None,
    ),
    validation=Validation(recipe="low_resolution:scale=4", convention="luma+border4+round8", crop=256, images=5, every=500),
    run="runs/vdsr",
)
