r"""SwinIR classical x2 as published: residual groups of transformers in shifted windows.

Data: DIV2K and Flickr2K, patches 128x128 (64x64 in the input), batches of 32; Adam at 2e-4, halved four times. x3 and x4 start from these
weights (transfer.source) with half the steps.
Expected: 38.42 dB on Set5 x2 (PSNR of the luma, 2 border pixels left out), within 0.1 dB.
Cost: 500,000 steps; not measured.

    jaxrestore train experiments/super_resolution/swinir_classical.py data.path=DF2K validation.path=Set5
    jaxrestore train experiments/super_resolution/swinir_classical.py steps=150 data.path=T91 data.batch=8 data.patch=48 \
      data.workers=0 optimizer.rate=1e-3 optimizer.ema=none 'model.fields.depths=(2,2)' 'model.fields.heads=(2,2)' \
      model.fields.features=16 model.fields.tail_features=16 validation.path=Set5 validation.every=150 \
      run=runs/swinir_classical_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("swinir_classical_x2"),
    data=Data("DF2K", patch=128, batch=32, workers=8),
    degradation="downsample:scale=2,quantise",
    loss="l1",
    steps=500_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="milestones", milestones=(250_000, 400_000, 450_000, 475_000), ema=0.999),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/swinir_classical",
)
