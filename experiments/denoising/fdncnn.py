r"""FDnCNN for grey images, one network for sigma 0 to 75 that is told the level.

Data: the 400 grey images of DnCNN (data.path=...), patches 40x40, batches of 64; the absolute error, Adam from 1e-4, halved every 200,000
steps, as the authors retrain their denoisers. The number of steps is ours.
Expected: 29.22 dB on BSD68 at sigma 25 (grey PSNR of the whole image), 31.69 at 15 and 26.27 at 50.
Cost: 600,000 steps; not measured.

    jaxrestore train experiments/denoising/fdncnn.py data.path=Train400 validation.path=Set12
    jaxrestore train experiments/denoising/fdncnn.py steps=1000 data.path=Train400 data.batch=8 data.patch=32 data.workers=0 \
      optimizer.rate=2e-3 optimizer.schedule=cosine optimizer.ema=none model.fields.features=16 model.fields.depth=6 \
      validation.path=Set12 validation.crop=128 validation.images=4 validation.every=500 run=runs/fdncnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("fdncnn_gray"),
    data=Data("Train400", channels=1, patch=40, batch=64, workers=2),
    degradation="gaussian:sigma=0..75",
    objective=Objective("noise_level"),
    loss="l1",
    steps=600_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(200_000, 400_000), factor=0.5, ema=0.999),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=12, every=5000),
    run="runs/fdncnn",
)
