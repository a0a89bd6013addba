r"""Noise2Self with its small U-Net, as in its authors' introduction: from noisy images alone, one of each.

Data: theirs are digits of MNIST with noise of deviation 0.4 and batches of 32; any folder of grey images does. Every 16th pixel hidden by
the mean around it, the squared error, Adam at 1e-3. The number of steps is our own choice.
Expected: no score is published; theirs falls from a loss of 0.056 to 0.013 in 30 steps on digits.
Cost: 2,000 steps; minutes on a CPU.

    jaxrestore train experiments/denoising/babyunet.py data.path=Train400 validation.path=Set12
    jaxrestore train experiments/denoising/babyunet.py steps=400 data.path=Train400 data.batch=8 data.patch=48 data.workers=0 \
      optimizer.rate=3e-3 validation.path=Set12 validation.crop=128 validation.images=5 validation.every=200 run=runs/babyunet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("babyunet"),
    data=Data("Train400", channels=1, patch=48, batch=32, workers=2),
    degradation="gaussian:sigma=25",
    objective=Objective("noise2self", {"width": 4}),
    loss="mse",
    steps=2_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="constant", ema=None),
    validation=Validation(crop=128, images=12, every=500),
    run="runs/babyunet",
)
