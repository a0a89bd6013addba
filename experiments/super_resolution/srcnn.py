r"""SRCNN 9-1-5 x3 as published: three layers on an image that bicubic interpolation has enlarged.

Data: the luma of the 91 images, patches 33x33; SGD at 1e-4, the last layer at 1e-5. The paper pads nothing and compares the inner 21x21
pixels; here the border is repeated, as in the authors' test code, and all pixels count. The loss is the paper's half sum over 21x21
pixels.
Expected: 32.39 dB on Set5 x3 (PSNR of the luma, 3 border pixels left out), within 0.1 dB.
Cost: 8e8 patches; not measured. At a reduced size Adam does in minutes what SGD at these rates does in weeks.

    jaxrestore train experiments/super_resolution/srcnn.py data.path=T91 validation.path=Set5
    jaxrestore train experiments/super_resolution/srcnn.py steps=1500 data.path=T91 data.batch=16 data.patch=33 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none optimizer.name=adam validation.path=Set5 validation.every=750 run=runs/srcnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("srcnn_915"),
    data=Data("T91", channels=1, color="luma", patch=33, batch=128, workers=2),
    degradation="low_resolution:scale=3",
    loss="220.5*mse",
    steps=6_250_000,
    optimizer=Optimizer(name="sgd", rate=1e-4, schedule="constant", rates={"reconstruction": 0.1}, ema=None),
    validation=Validation(convention="luma+border3+round8", crop=256, images=5, every=5000),
    run="runs/srcnn",
)
