r"""ESRGAN x4, its first stage as published: the generator trained on the absolute error. The adversarial stage: esrgan_adversarial.py.

Data: DIV2K and Flickr2K, patches 128x128, batches of 16; Adam at 2e-4, halved every 200,000 steps.
Expected: 32.73 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.1 dB.
Cost: 1,000,000 steps; not measured.

    jaxrestore train experiments/super_resolution/esrgan.py data.path=DF2K validation.path=Set5
    jaxrestore train experiments/super_resolution/esrgan.py steps=150 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=24 model.fields.growth=8 model.fields.depth=2 \
      validation.path=Set5 validation.every=150 run=runs/esrgan_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("esrgan_x4"),
    data=Data("DF2K", patch=128, batch=16, workers=8),
    degradation="downsample:scale=4,quantise",
    loss="l1",
    steps=1_000_000,
    optimizer=Optimizer(
        name="adam", rate=2e-4, schedule="milestones", milestones=(200_000, 400_000, 600_000, 800_000), betas=(0.9, 0.99), ema=0.999
    ),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/esrgan",
)
