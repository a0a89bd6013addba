r"""Restormer as published for blur by motion, in patches of one size.

Data: the 2,103 pairs of GoPro (data.path=blur data.target=sharp); AdamW with weight decay 1e-4, 92,000 steps at 3e-4, then a cosine to
1e-6; gradients clipped at 0.01. Simplified: the paper's patches grow and its batches shrink on the way (128 to 384 pixels, batches of 64 to
8), which takes one run a stage here (transfer.source=runs/...); this run is the first stage throughout. Validation blurs sharp pictures by
random paths of a camera.
Expected: below the published 32.92 dB and SSIM 0.961 on GoPro's test pairs, for want of the large patches.
Cost: 300,000 steps; not measured.

    jaxrestore train experiments/deblurring/restormer.py data.path=GoPro/blur data.target=GoPro/sharp validation.path=Set5
    jaxrestore train experiments/deblurring/restormer.py steps=300 degradation=motion_blur:length=5..9:angle=0..180:size=15 \
      data.source=folder data.path=BSDS400 data.target=none data.patch=48 data.batch=4 data.workers=0 \
      validation.recipe=motion_blur:length=7:angle=30:size=15 optimizer.rate=1e-3 optimizer.hold=100 optimizer.clip=1.0 \
      model.fields.features=12 'model.fields.blocks=(1,1,1,1)' model.fields.refinement=1 validation.path=Set5 validation.crop=96 \
      validation.every=150 run=runs/restormer_deblur_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("restormer_deblur"),
    data=Data("GoPro/blur", source="pairs", target="GoPro/sharp", patch=128, batch=64, workers=8),
    loss="l1",
    steps=300_000,
    optimizer=Optimizer(name="adamw", rate=3e-4, schedule="cosine", final_rate=1e-6, hold=92_000, weight_decay=1e-4, clip=0.01, ema=None),
    validation=Validation(recipe="camera_shake", crop=256, images=16, every=4000),
    run="runs/restormer_deblur",
)
