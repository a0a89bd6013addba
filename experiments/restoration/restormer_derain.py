r"""Restormer against rain, in patches of one size.

Data: the 13,712 pairs of Rain13K (data.path=rainy data.target=clean); AdamW with weight decay 1e-4, 92,000 steps at 3e-4, then a cosine to
1e-6; gradients clipped at 0.01. Simplified: the paper's patches grow and its batches shrink on the way (128 to 384 pixels, batches of 64 to
8), which takes one run a stage here (transfer.source=runs/...); this run is the first stage throughout. Validation makes its own rain.
Expected: the loss falls, and pictures come nearer to the clean ones than the rainy ones are.
Cost: 300,000 steps; not measured.

    jaxrestore train experiments/restoration/restormer_derain.py data.path=Rain13K/input data.target=Rain13K/target validation.path=Set5
    jaxrestore train experiments/restoration/restormer_derain.py steps=300 degradation=rain data.source=folder data.path=BSDS400 \
      data.target=none data.patch=48 data.batch=4 data.workers=0 optimizer.rate=1e-3 optimizer.hold=100 optimizer.clip=1.0 \
      model.fields.features=12 'model.fields.blocks=(1,1,1,1)' model.fields.refinement=1 validation.path=Set5 validation.crop=96 \
      validation.every=150 run=runs/restormer_derain_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("restormer_derain"),
    data=Data("Rain13K/input", source="pairs", target="Rain13K/target", patch=128, batch=64, workers=8),
    loss="l1",
    steps=300_000,
    optimizer=Optimizer(name="adamw", rate=3e-4, schedule="cosine", final_rate=1e-6, hold=92_000, weight_decay=1e-4, clip=0.01, ema=None),
    validation=Validation(recipe="rain", crop=256, images=16, every=4000),
    run="runs/restormer_derain",
)
