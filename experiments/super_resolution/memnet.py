r"""MemNet M6R6 as published: recursive units with gates that remember everything before, one network for x2, x3 and x4.

Data: the luma of 291 images (the 91 and 200 of BSD), patches 31x31 at a scale drawn for each; SGD at 0.1, a tenth every 200,000 steps,
biases at a tenth. The authors clip the norm of the gradient to 0.01 / rate, here each element is clipped to 1e-4 / rate; the six memory
blocks and their sum are supervised alike.
Expected: 37.78 dB on Set5 x2, 34.09 x3, 31.74 x4 (PSNR of the luma, `scale` border pixels left out), within 0.1 dB.
Cost: 800,000 steps; not measured.

    jaxrestore train experiments/super_resolution/memnet.py data.path=T91_BSD200 validation.path=Set5
    jaxrestore train experiments/super_resolution/memnet.py steps=1500 data.path=T91 data.batch=8 data.patch=31 data.workers=0 \
      optimizer.rate=3e-3 optimizer.schedule=cosine optimizer.ema=none optimizer.name=adam model.fields.features=16 \
      model.fields.memories=2 model.fields.recursions=2 validation.path=Set5 validation.every=500 run=runs/memnet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("memnet_m6r6"),
    data=Data("T91", channels=1, color="luma", patch=31, batch=64, workers=2),
    degradation="low_resolution:scale=2..4",
    loss="480.5*mse",
    supervision=6 / 7,
    steps=800_000,
    optimizer=Optimizer(
        name="sgd",
        rate=0.1,
        schedule="milestones",
        milestones=(200_000, 400_000, 600_000),
        factor=0.1,
        weight_decay=1e-4,
        adjustable_clip=1e-4,
        rates={"*/bias": 0.1},
        ema=None,
    ),
    validation=Validation(recipe="low_resolution:scale=4", convention="luma+border4+round8", crop=256, images=5, every=5000),
    run="runs/memnet",
)
