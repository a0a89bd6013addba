r"""CARN as published: cascades of residual units with a tail for each of x2, x3 and x4.

Data: DIV2K 1 to 800, 64x64 pixels in the input at a scale drawn for each batch of 64; Adam at 1e-4, halved at 400,000 steps, gradients
clipped to a norm of 10. Validated at x4.
Expected: 37.76 dB on Set5 x2, 34.29 x3, 32.13 x4 (PSNR of the luma, `scale` border pixels left out), within 0.1 dB.
Cost: 600,000 steps; not measured.

    jaxrestore train experiments/super_resolution/carn.py data.path=DIV2K_train_HR validation.path=Set5
    jaxrestore train experiments/super_resolution/carn.py steps=600 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=24 validation.path=Set5 validation.every=300 \
      run=runs/carn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("carn"),
    data=Data("DIV2K_train_HR", patch=256, batch=64, workers=8),
    degradation="downsample:scale={scale},quantise",
    scales=(2, 3, 4),
    loss="l1",
    steps=600_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(400_000,), clip=10.0, ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/carn",
)
