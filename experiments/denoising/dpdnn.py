r"""DPDNN for grey images at one noise level, 25 here; degradation=gaussian:sigma=15 and the like for others.

Data: 450,000 patches of 128x128 from the grey versions of DIV2K (data.path=...), batches of 16; the squared error, Adam from 5e-4, halved
every three epochs, Xavier's initial values. After how many epochs the authors stop is not said (at most 100): twelve here.
Expected: nothing is published with the code; the paper's tables are above DnCNN's, 29.23 dB on BSD68 (grey PSNR of the whole image).
Cost: 337,500 steps; not measured.

    jaxrestore train experiments/denoising/dpdnn.py data.path=DIV2K validation.path=Set12
    jaxrestore train experiments/denoising/dpdnn.py steps=300 data.path=Train400 data.batch=4 data.patch=32 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.steps=2 model.fields.features=12 \
      validation.path=Set12 validation.crop=96 validation.images=4 validation.every=150 run=runs/dpdnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("dpdnn_gray", {"shared_downsampling": False}),
    data=Data("DIV2K", channels=1, patch=128, batch=16, workers=8),
    degradation="gaussian:sigma=25",
    loss="mse",
    steps=337_500,
    optimizer=Optimizer(name="adam", rate=5e-4, schedule="milestones", milestones=(84_375, 168_750, 253_125), factor=0.5, ema=None),
    validation=Validation(crop=256, images=12, every=5000),
    run="runs/dpdnn",
)
