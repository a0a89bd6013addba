r"""Restormer as published for Gaussian noise on colour pictures of any level up to 50, in patches of one size.

Data: DIV2K, Flickr2K, BSD500 and WaterlooED; AdamW with weight decay 1e-4, 92,000 steps at 3e-4, then a cosine to 1e-6; gradients clipped
at 0.01. Simplified: the paper's patches grow and its batches shrink on the way (128, 160, 192, 256, 320, 384 pixels in batches of 64, 40,
32, 16, 8, 8, changed at 92, 156, 204, 240 and 276 thousand steps), which takes one run a stage here (transfer.source=runs/...); this run is
the first stage throughout. The mixing of two images of a batch is for real noise alone.
Expected: CBSD68 at sigma 25: 31.79 dB for the network of that level, less for one of all levels and for small patches.
Cost: 300,000 steps; not measured.

    jaxrestore train experiments/denoising/restormer.py data.path=DFWB validation.path=CBSD68
    jaxrestore train experiments/denoising/restormer.py steps=300 data.path=BSDS400 data.patch=48 data.batch=4 data.workers=0 \
      degradation=gaussian:sigma=25 optimizer.rate=1e-3 optimizer.hold=100 optimizer.ema=none optimizer.clip=1.0 model.fields.features=12 \
      'model.fields.blocks=(1,1,1,1)' model.fields.refinement=1 validation.path=Set5 validation.crop=96 validation.every=150 \
      run=runs/restormer_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("restormer_denoise"),
    data=Data("DFWB", patch=128, batch=64, workers=8),
    degradation="gaussian:sigma=0..50",
    loss="l1",
    steps=300_000,
    optimizer=Optimizer(name="adamw", rate=3e-4, schedule="cosine", final_rate=1e-6, hold=92_000, weight_decay=1e-4, clip=0.01, ema=None),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=16, every=4000),
    run="runs/restormer_denoise",
)
