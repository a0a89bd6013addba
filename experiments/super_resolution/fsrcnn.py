r"""FSRCNN x4 as published: an hourglass on the small image, enlarged by its last layer.

Data: the luma of the 91 images and General-100 in one folder; SGD at 1e-3, the transposed convolution at 1e-4. Inputs of 6x6 pixels give
24x24 here, 21x21 in the authors' framework; the loss is the half sum over the patch. The paper's copies at smaller sizes are not made.
Expected: 30.71 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.1 dB.
Cost: 1,000,000 steps (the paper gives no number); not measured.

    jaxrestore train experiments/super_resolution/fsrcnn.py data.path=T91_General100 validation.path=Set5
    jaxrestore train experiments/super_resolution/fsrcnn.py steps=1500 data.path=T91 data.batch=16 data.patch=48 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none optimizer.name=adam validation.path=Set5 validation.every=750 run=runs/fsrcnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("fsrcnn_x4"),
    data=Data("T91", channels=1, color="luma", patch=24, batch=128, workers=2),
    degradation="downsample:scale=4",
    loss="288*mse",
    steps=1_000_000,
    optimizer=Optimizer(name="sgd", rate=1e-3, schedule="constant", rates={"enlarge": 0.1}, ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/fsrcnn",
)
