r"""Burger's patch MLP at sigma 25: four hidden layers of 2,047 on patches of 17x17.

Data: grey patches from as many images as can be had (the paper's: 150,000 of LabelMe and ImageNet; data.path=...), one patch a sample; the
squared error. The paper takes plain stochastic gradient descent with each layer's rate divided by its number of inputs, for hundreds of
millions of patches; Adam here. model.name=patch_mlp_39 with data.patch=39 is the larger network.
Expected: 28.96 dB on BSD68 (grey PSNR of the whole image), of the larger network.
Cost: 4,000,000 steps; not measured. The paper's takes a month on a GPU of its time.

    jaxrestore train experiments/denoising/patch_mlp.py data.path=photographs validation.path=Set12
    jaxrestore train experiments/denoising/patch_mlp.py steps=1500 data.path=Train400 data.batch=64 data.patch=17 data.workers=0 \
      optimizer.rate=1e-3 optimizer.schedule=cosine optimizer.ema=none 'model.fields.hidden=(256,256)' \
      validation.path=Set12 validation.crop=128 validation.images=4 validation.every=750 run=runs/patch_mlp_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("patch_mlp_17"),
    data=Data("photographs", channels=1, patch=17, batch=128, workers=8),
    degradation="gaussian:sigma=25",
    loss="mse",
    steps=4_000_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="exponential", final_rate=1e-6, ema=None),
    validation=Validation(crop=256, images=12, every=20_000),
    run="runs/patch_mlp",
)
