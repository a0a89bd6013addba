r"""U-Net for denoising in colour, in its residual form with the absolute error.

Published for segmentation alone: this is our own recipe for restoration.

Data: any folder of photographs; BSDS400 here, patches of 128x128, batches of 16.
Expected: not known; nothing is published.
Cost: 100,000 steps; not measured.

    jaxrestore train experiments/restoration/unet.py data.path=BSDS400 validation.path=Set5
    jaxrestore train experiments/restoration/unet.py steps=400 data.path=T91 data.batch=8 data.patch=48 data.workers=0 \
      degradation=gaussian:sigma=25 optimizer.ema=none model.fields.features=8 model.fields.levels=2 validation.path=Set5 \
      validation.crop=128 validation.every=200 run=runs/unet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("unet", {"residual": True}),
    data=Data("BSDS400", patch=128, batch=16, workers=4),
    degradation="gaussian:sigma=0..50",
    loss="l1",
    steps=100_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", ema=0.999),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=16, every=2000),
    run="runs/unet",
)
