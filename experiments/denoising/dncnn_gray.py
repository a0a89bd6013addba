r"""DnCNN-S as published: one network for grey images at sigma 25.

Data: the authors' 400 grey images of 180x180 (data.path=...), patches 40x40, batches of 128, 50 epochs of 1600 batches, as in the paper.
The paper's optimiser is SGD with momentum, a rate from 1e-1 to 1e-4, weight decay 1e-4 and an error summed over the patch; Adam with the
mean error, as in the authors' own later retraining, does not depend on the patch's size.
Expected: 30.43 dB on Set12 (grey PSNR of the whole image, sigma 25), within 0.1 dB.
Cost: 80,000 steps; about an hour on one data-centre GPU.

    jaxrestore train experiments/denoising/dncnn_gray.py data.path=Train400 validation.path=Set12
    jaxrestore train experiments/denoising/dncnn_gray.py steps=1000 data.path=Train400 data.batch=8 data.patch=32 data.workers=0 \
      optimizer.rate=2e-3 optimizer.schedule=cosine optimizer.ema=none model.fields.features=16 model.fields.depth=6 \
      validation.path=Set12 validation.crop=128 validation.images=4 validation.every=500 run=runs/dncnn_gray_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("dncnn_gray"),
    data=Data("Train400", channels=1, patch=40, batch=128, workers=2),
    degradation="gaussian:sigma=25",
    loss="mse",
    steps=80_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="exponential", final_rate=1e-5, ema=0.999),
    validation=Validation(crop=256, images=12, every=2000),
    run="runs/dncnn_gray",
)
