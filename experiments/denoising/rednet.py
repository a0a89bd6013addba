r"""RED-Net of 30 layers for grey images at one noise level, 30 here; degradation=gaussian:sigma=10..70 trains one network for all of them.

Data: about half a million patches of 50x50 from 300 images of BSD (data.path=...); the squared error, Adam at 1e-4, He's initial values.
The batch and the number of steps are ours. model.name=rednet10_gray and rednet20_gray are the shallower ones.
Expected: 27.95 dB on BSD200 at sigma 30 (grey PSNR of the whole image), 33.63 at 10, 25.75 at 50 and 24.37 at 70.
Cost: 500,000 steps; not measured.

    jaxrestore train experiments/denoising/rednet.py data.path=BSD300 validation.path=Set12
    jaxrestore train experiments/denoising/rednet.py steps=400 data.path=Train400 data.batch=8 data.patch=32 data.workers=0 \
      optimizer.rate=1e-3 optimizer.schedule=cosine optimizer.ema=none model.fields.features=16 model.fields.depth=5 \
      validation.path=Set12 validation.crop=128 validation.images=4 validation.every=200 run=runs/rednet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("rednet30_gray"),
    data=Data("BSD300", channels=1, patch=50, batch=32, workers=4),
    degradation="gaussian:sigma=30",
    loss="mse",
    steps=500_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="constant", ema=None),
    validation=Validation(crop=256, images=12, every=5000),
    run="runs/rednet",
)
