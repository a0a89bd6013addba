r"""The conv-deconv network with skips of Saraf and Morparia, on GoPro's images with noise of sigma 10, 30, 50 or 70.

Data: the 4,204 images of their split, noised with the levels' published proportions (data.path=...), crops of 256x256; the squared error,
Adam, for which they try rates from 1e-1 to 1e-5. Rate, batch and steps are ours. model.name=conv_deconv is the network without skips,
model.name=conv_deconv_pooled the one that pools; model.fields.activation=prelu is tried as well.
Expected: they report squared errors, with skips 9.3e-4, which is 30.3 dB (the decibels that they print do not follow from them).
Cost: 100,000 steps; not measured.

    jaxrestore train experiments/denoising/conv_deconv.py data.path=GoPro validation.path=GoPro_validation
    jaxrestore train experiments/denoising/conv_deconv.py steps=1000 data.path=BSDS400 data.batch=8 data.patch=32 data.workers=0 \
      optimizer.rate=3e-3 optimizer.ema=none model.fields.features=12 model.fields.depth=5 \
      validation.path=Set5 validation.crop=96 validation.images=4 validation.every=500 run=runs/conv_deconv_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("conv_deconv_skips"),
    data=Data("GoPro", patch=256, batch=8, workers=8),
    degradation="gopro_noise",
    loss="mse",
    steps=100_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", final_rate=1e-5, ema=None),
    validation=Validation(crop=256, images=16, every=5000),
    run="runs/conv_deconv",
)
