r"""SRDenseNet x4 as published: eight dense blocks whose features are all seen by the enlargement.

Data: the luma of 50,000 images of ImageNet, patches 100x100, batches of 32, 60 epochs; Adam at 1e-4, a tenth after 30. An epoch is taken
to be one patch of each image.
Expected: 32.02 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.15 dB.
Cost: 94,000 steps; not measured.

    jaxrestore train experiments/super_resolution/srdensenet.py data.path=ImageNet validation.path=Set5
    jaxrestore train experiments/super_resolution/srdensenet.py steps=500 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.growth=4 model.fields.blocks=3 model.fields.depth=4 \
      model.fields.bottleneck=32 validation.path=Set5 validation.every=250 run=runs/srdensenet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("srdensenet_x4"),
    data=Data("ImageNet", channels=1, color="luma", patch=100, batch=32, workers=8),
    degradation="downsample:scale=4",
    loss="mse",
    steps=94_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(47_000,), factor=0.1, ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/srdensenet",
)
