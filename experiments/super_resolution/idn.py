r"""IDN x2 as published: blocks that keep a part of their features and pass the rest on.

Data: the luma of 291 images (the 91 and 200 of BSD), inputs of 29x29 pixels (58x58 clean here, 57x57 in the authors' framework), batches
of 64; Adam at 1e-4, a tenth every 250,000 steps, biases and the transposed convolution at a tenth. The authors then go on with inputs of
39x39 pixels.
Expected: 37.83 dB on Set5 x2 (PSNR of the luma, 2 border pixels left out), within 0.1 dB.
Cost: 600,000 steps; not measured.

    jaxrestore train experiments/super_resolution/idn.py data.path=T91_BSD200 validation.path=Set5
    jaxrestore train experiments/super_resolution/idn.py steps=300 data.path=T91 data.batch=8 data.patch=58 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.depth=2 validation.path=Set5 validation.every=150 run=runs/idn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("idn_x2"),
    data=Data("T91", channels=1, color="luma", patch=58, batch=64, workers=2),
    degradation="downsample:scale=2",
    loss="l1",
    steps=600_000,
    optimizer=Optimizer(
        name="adam",
        rate=1e-4,
        schedule="milestones",
        milestones=(250_000, 500_000),
        factor=0.1,
        weight_decay=1e-4,
        rates={"*/bias": 0.1, "enlarge/kernel*": 0.1},
        ema=None,
    ),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/idn",
)
