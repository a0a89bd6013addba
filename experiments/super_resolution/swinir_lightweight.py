r"""SwinIR lightweight x2 as published: four groups of 60 channels, enlarged by one convolution.

Data: DIV2K 1 to 800, patches 128x128 (64x64 in the input), batches of 32; Adam at 2e-4, halved four times.
Expected: 38.14 dB on Set5 x2 (PSNR of the luma, 2 border pixels left out), within 0.1 dB.
Cost: 500,000 steps; not measured.

    jaxrestore train experiments/super_resolution/swinir_lightweight.py data.path=DIV2K_train_HR validation.path=Set5
    jaxrestore train experiments/super_resolution/swinir_lightweight.py steps=300 data.path=T91 data.batch=8 data.patch=48 \
      data.workers=0 optimizer.rate=1e-3 optimizer.ema=none 'model.fields.depths=(2,2)' 'model.fields.heads=(2,2)' \
      model.fields.features=16 validation.path=Set5 validation.every=150 run=runs/swinir_lightweight_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("swinir_lightweight_x2"),
    data=Data("DIV2K_train_HR", patch=128, batch=32, workers=8),
    degradation="downsample:scale=2,quantise",
    loss="l1",
    steps=500_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="milestones", milestones=(250_000, 400_000, 450_000, 475_000), ema=0.999),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/swinir_lightweight",
)
