r"""FFDNet for grey images as published: one network for sigma 0 to 75 that is told the level.

Data: grey images (the paper's: 400 of BSD, 400 of ImageNet's validation set, the 4,744 of the Waterloo Exploration Database;
data.path=...), patches 70x70, batches of 128; the squared error, Adam from 1e-3, at the end 1e-6. The colour network is
model.name=ffdnet_color with data.channels=3 and data.patch=50. The number of steps and the way down are ours, and there is no
normalisation, which the paper takes for the first stage and then merges.
Expected: 29.19 dB on BSD68 at sigma 25 (grey PSNR of the whole image), 31.63 at 15 and 26.29 at 50.
Cost: 400,000 steps; not measured.

    jaxrestore train experiments/denoising/ffdnet.py data.path=photographs validation.path=Set12
    jaxrestore train experiments/denoising/ffdnet.py steps=1500 data.path=Train400 data.batch=8 data.patch=48 data.workers=0 \
      optimizer.rate=3e-3 optimizer.schedule=cosine optimizer.ema=none model.fields.features=24 model.fields.depth=6 \
      validation.path=Set12 validation.crop=128 validation.images=4 validation.every=750 run=runs/ffdnet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("ffdnet_gray"),
    data=Data("photographs", channels=1, patch=70, batch=128, workers=4),
    degradation="gaussian:sigma=0..75",
    objective=Objective("noise_level"),
    loss="mse",
    steps=400_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="exponential", final_rate=1e-6, ema=0.999),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=12, every=5000),
    run="runs/ffdnet",
)
