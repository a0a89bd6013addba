r"""pix2pix as published, from label maps to photographs: the absolute error and a discriminator that sees the labels too.

Data: the 2,975 pairs of Cityscapes at 286x286 (data.path=labels data.target=photos), one crop of 256x256 a step, flips; Adam at 2e-4 with
betas of 0.5 and 0.999, the second half of 200 epochs straight down to zero. The loss is the game + 100 * absolute error; the
discriminator's half of the game is halved.
Expected: on Cityscapes a network for segmentation finds 66 % of the pixels' classes in the made photographs (23 % for each class, mean
overlap 0.17); it is not measured here.
Cost: 595,000 steps; not measured.
The reduced run has no such pairs: it gives faded pictures their colours back.

    jaxrestore train experiments/generative/pix2pix.py data.path=cityscapes/labels data.target=cityscapes/photos
    jaxrestore train experiments/generative/pix2pix.py steps=400 degradation=fading data.source=folder data.path=T91 data.target=none \
      data.patch=64 data.batch=4 data.workers=0 optimizer.rate=1e-3 'optimizer.milestones=(200,)' model.fields.features=8 \
      model.fields.levels=6 objective.arguments.discriminator_rate=2e-4 objective.arguments.fields.features=8 validation.path=Set5 \
      validation.crop=64 validation.every=200 run=runs/pix2pix_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("pix2pix_unet256"),
    data=Data("cityscapes/labels", source="pairs", target="cityscapes/photos", patch=256, batch=1, workers=8),
    objective=Objective(
        "adversarial",
        {
            "discriminator": "pix2pix_discriminator",
            "fields": {},
            "game": "vanilla",
            "weight": 1.0,
            "content": 100.0,
            "discriminator_weight": 0.5,
            "discriminator_first": True,
            "conditional": True,
        },
    ),
    loss="l1",
    steps=595_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="linear", milestones=(297_500,), final_rate=0.0, betas=(0.5, 0.999), ema=None),
    validation=Validation(convention="rgb"),
    run="runs/pix2pix",
)
