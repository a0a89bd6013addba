r"""A single-layer perceptron at sigma 25: one matrix from patches of 17x17 to patches of 17x17, and a sigmoid.

Data: grey images (data.path=...), one patch a sample; the squared error, Adam from 1e-3. No paper gives this configuration.
Expected: a learnt linear filter, near to the best one (Wiener's) for patches: a few dB over the noisy input, below any deep network.
Cost: 50,000 steps; not measured.

    jaxrestore train experiments/denoising/patch_perceptron.py data.path=Train400 validation.path=Set12
    jaxrestore train experiments/denoising/patch_perceptron.py steps=1500 data.path=Train400 data.batch=64 data.workers=0 \
      optimizer.rate=3e-3 validation.path=Set12 validation.crop=128 validation.images=4 validation.every=750 \
      run=runs/patch_perceptron_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("patch_perceptron"),
    data=Data("Train400", channels=1, patch=17, batch=128, workers=4),
    degradation="gaussian:sigma=25",
    loss="mse",
    steps=50_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", final_rate=1e-6, ema=None),
    validation=Validation(crop=256, images=12, every=5000),
    run="runs/patch_perceptron",
)
