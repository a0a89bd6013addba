r"""A small CNN on patches at sigma 25.

Data: grey images (data.path=...), patches 32x32, batches of 128; the squared error, Adam from 1e-3. A configuration of our own.
Expected: between a linear filter and DnCNN, which sees further than a patch: about 28.5 dB on Set12 (grey PSNR of the whole image).
Cost: 50,000 steps; not measured.

    jaxrestore train experiments/denoising/patch_cnn.py data.path=Train400 validation.path=Set12
    jaxrestore train experiments/denoising/patch_cnn.py steps=400 data.path=Train400 data.batch=8 data.workers=0 \
      optimizer.rate=2e-3 optimizer.ema=none model.fields.features=16 validation.path=Set12 validation.crop=128 \
      validation.images=4 validation.every=200 run=runs/patch_cnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("patch_cnn_gray"),
    data=Data("Train400", channels=1, patch=32, batch=128, workers=4),
    degradation="gaussian:sigma=25",
    loss="mse",
    steps=50_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", final_rate=1e-6, ema=0.999),
    validation=Validation(crop=256, images=12, every=5000),
    run="runs/patch_cnn",
)
