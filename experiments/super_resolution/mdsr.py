r"""MDSR as published: eighty shared residual blocks with a head and a tail for each of x2, x3 and x4.

Data: DIV2K 1 to 800, 48x48 pixels in the input at a scale drawn for each batch of 16; Adam at 1e-4, halved every 200,000 steps. Validated
at x4.
Expected: 32.50 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.1 dB.
Cost: 650,000 steps; not measured.

    jaxrestore train experiments/super_resolution/mdsr.py data.path=DIV2K_train_HR validation.path=Set5
    jaxrestore train experiments/super_resolution/mdsr.py steps=600 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=32 model.fields.depth=4 validation.path=Set5 \
      validation.every=300 run=runs/mdsr_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("mdsr"),
    data=Data("DIV2K_train_HR", patch=192, batch=16, workers=8),
    degradation="downsample:scale={scale},quantise",
    scales=(2, 3, 4),
    loss="l1",
    steps=650_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(200_000, 400_000, 600_000), ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/mdsr",
)
