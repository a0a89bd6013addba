r"""The unofficial gated inpainting network as its code trains it, with self-attention and batch normalisation.

Data: Places2, 256x256, batches of 4; Adam at 1e-4 for the network and 4e-4 for the discriminator. Each of the two images has an absolute
error of weight 1.2 inside and outside of the hole (the code divides each by its share of the picture, which is left out here); the game
weighs 0.005. Errors are those of images in [-1, 1]: 4.8 for the mean of the two on [0, 1].
Expected: no score is published; a PSNR of the whole picture above that of filling the holes with the mean colour.
Cost: 50 epochs of Places2, 22,500,000 steps; not measured.

    jaxrestore train experiments/inpainting/gated_inpainting.py data.path=places2 validation.path=places2_validation
    jaxrestore train experiments/inpainting/gated_inpainting.py steps=200 data.path=T91 data.batch=2 data.patch=128 data.workers=0 \
      model.fields.features=8 optimizer.rate=2e-3 objective.arguments.discriminator_rate=1e-4 objective.arguments.fields.features=4 \
      validation.path=Set5 validation.crop=128 validation.every=100 run=runs/gated_inpainting_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("gated_inpainting", {}),
    data=Data("places2", patch=256, batch=4, workers=8),
    degradation="strokes:count=1..4:vertices=1..5:length=0.11:width=0.02..0.04:fill=0.5",
    objective=Objective(
        "adversarial",
        {
            "discriminator": "gated_inpainting_discriminator",
            "fields": {},
            "game": "hinge",
            "weight": 0.005,
            "content": 4.8,
            "discriminator_rate": 4e-4,
        },
    ),
    loss="l1",
    supervision=0.5,
    steps=22_500_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="constant", ema=None),
    validation=Validation(crop=256, images=20, every=50_000),
    run="runs/gated_inpainting",
)
