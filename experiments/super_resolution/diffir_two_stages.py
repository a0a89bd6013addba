r"""DiffIR x4 in its two stages: a prior that sees the answer trains the restorer, then diffusion learns to guess that prior.

Data: DIV2K and Flickr2K, patches 256x256, batches of 64; Adam at 2e-4, halved at 500,000 and 700,000 of each stage's 1,000,000 steps. Here
both stages are one run, whose rate does not rise again: the second begins where the first ended, at a quarter of the published rate.
Expected: the loss falls, and in stage 2 the guessed prior's distance; the paper publishes no PSNR on Set5. diffir.py is the ablation
without a prior that sees the answer.
Cost: 2,000,000 steps; not measured.

    jaxrestore train experiments/super_resolution/diffir_two_stages.py data.path=DF2K validation.path=Set5
    jaxrestore train experiments/super_resolution/diffir_two_stages.py steps=120 data.path=T91 data.batch=4 data.patch=64 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=16 'model.fields.blocks=(1,1,1,1)' model.fields.refinement=1 \
      model.fields.prior_features=8 model.fields.prior_depth=1 objective.arguments.first_stage=60 validation.path=Set5 \
      validation.every=60 run=runs/diffir_two_stages_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("diffir_x4"),
    data=Data("DF2K", patch=256, batch=64, workers=8),
    degradation="downsample:scale=4,quantise",
    objective=Objective("diffusion_prior", {"first_stage": 1_000_000, "weight": 1.0}),
    loss="l1",
    steps=2_000_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="milestones", milestones=(500_000, 700_000), betas=(0.9, 0.99), ema=0.999),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/diffir_two_stages",
)
