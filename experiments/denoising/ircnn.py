r"""IRCNN for grey images at one of its 25 noise levels, 25 here; degradation=gaussian:sigma=2 ... 50 for the others.

Data: grey images (the paper's: 400 of BSD, 400 of ImageNet's validation set, the 4,744 of the Waterloo Exploration Database;
data.path=...), small patches of 35x35, so that the borders' zeros are learnt; batches of 256; the squared error, Adam from 1e-3 to 1e-4.
Batch normalisation in the middle layers while training. The number of steps is ours.
Expected: 29.15 dB on BSD68 at sigma 25 (grey PSNR of the whole image).
Cost: 200,000 steps; not measured.

    jaxrestore train experiments/denoising/ircnn.py data.path=photographs validation.path=Set12
    jaxrestore train experiments/denoising/ircnn.py steps=1500 data.path=Train400 data.batch=8 data.patch=35 data.workers=0 \
      optimizer.rate=3e-3 optimizer.schedule=cosine optimizer.ema=none model.fields.features=16 validation.path=Set12 validation.crop=128 \
      validation.images=4 validation.every=750 run=runs/ircnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("ircnn_gray", {"norm": True}),
    data=Data("photographs", channels=1, patch=35, batch=256, workers=4),
    degradation="gaussian:sigma=25",
    loss="mse",
    steps=200_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="exponential", final_rate=1e-4, ema=0.999),
    validation=Validation(crop=256, images=12, every=5000),
    run="runs/ircnn",
)
