r"""CycleGAN as published: two generators, each the other's inverse, from images that do not belong together.

Data: horse2zebra, 1,067 horses and 1,334 zebras at 286x286 (data.path=horses data.target=zebras), a crop of 256x256 of each a step, flips;
Adam at 2e-4 with betas of 0.5 and 0.999, the second half of 200 epochs straight down to zero. Games of least squares, 10 * the cycle's
absolute error, 5 * the identity's, the discriminators' game halved, 50 made images kept for each.
Expected: pictures; the paper measures labels to photographs of Cityscapes, of which a network for segmentation finds 52 % of the pixels'
classes (17 % for each class, mean overlap 0.11).
Cost: 266,800 steps; not measured.
The reduced run has no such images: it gives faded pictures their colours back, and no loss compares a picture with its faded state.

    jaxrestore train experiments/generative/cyclegan.py data.path=horse2zebra/horses data.target=horse2zebra/zebras
    jaxrestore train experiments/generative/cyclegan.py steps=300 degradation=fading data.source=folder data.path=T91 data.target=none \
      data.patch=48 data.batch=2 data.workers=0 optimizer.rate=1e-3 'optimizer.milestones=(150,)' model.fields.features=8 \
      model.fields.depth=2 objective.arguments.discriminator_rate=2e-4 objective.arguments.fields.features=8 validation.path=Set5 \
      validation.crop=96 validation.every=150 run=runs/cyclegan_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("cyclegan_resnet9"),
    data=Data("horse2zebra/horses", source="unpaired", target="horse2zebra/zebras", patch=256, batch=1, workers=8),
    objective=Objective(
        "cycle",
        {
            "discriminator": "cyclegan_discriminator",
            "fields": {},
            "game": "least_squares",
            "weight": 1.0,
            "cycle": 10.0,
            "identity": 5.0,
            "discriminator_weight": 0.5,
            "pool": 50,
        },
    ),
    loss="l1",
    steps=266_800,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="linear", milestones=(133_400,), final_rate=0.0, betas=(0.5, 0.999), ema=None),
    validation=Validation(convention="rgb"),
    run="runs/cyclegan",
)
