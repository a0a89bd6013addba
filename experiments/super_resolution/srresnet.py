r"""SRResNet x4 as published: the generator of SRGAN trained on the squared error alone. The adversarial stage: srgan.py.

Data: 350,000 images of ImageNet, patches 96x96, batches of 16; Adam at 1e-4.
Expected: 32.05 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.1 dB.
Cost: 1,000,000 steps; not measured.

    jaxrestore train experiments/super_resolution/srresnet.py data.path=ImageNet validation.path=Set5
    jaxrestore train experiments/super_resolution/srresnet.py steps=500 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=24 model.fields.depth=4 validation.path=Set5 \
      validation.every=250 run=runs/srresnet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("srresnet_x4"),
    data=Data("ImageNet", patch=96, batch=16, workers=8),
    degradation="downsample:scale=4,quantise",
    loss="mse",
    steps=1_000_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="constant", ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/srresnet",
)
