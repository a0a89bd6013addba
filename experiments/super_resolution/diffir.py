r"""DiffIR x4 in one stage: the prior is guessed from the input alone and trained with the restorer on the absolute error.

Data: DIV2K and Flickr2K, patches 256x256, batches of 64; Adam at 2e-4, halved at 500,000 and 700,000 steps. The paper first trains the
restorer with a prior that sees the answer and then teaches the guess to equal it, as diffir_two_stages.py does; this is its ablation.
Expected: the loss falls; the paper publishes no PSNR on Set5.
Cost: 1,000,000 steps; not measured.

    jaxrestore train experiments/super_resolution/diffir.py data.path=DF2K validation.path=Set5
    jaxrestore train experiments/super_resolution/diffir.py steps=150 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=16 'model.fields.blocks=(1,1,1,1)' model.fields.refinement=1 \
      model.fields.prior_features=8 model.fields.prior_depth=1 validation.path=Set5 validation.every=150 run=runs/diffir_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("diffir_x4"),
    data=Data("DF2K", patch=256, batch=64, workers=8),
    degradation="downsample:scale=4,quantise",
    loss="l1",
    steps=1_000_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="milestones", milestones=(500_000, 700_000), betas=(0.9, 0.99), ema=0.999),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/diffir",
)
