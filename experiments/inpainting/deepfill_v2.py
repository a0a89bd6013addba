r"""DeepFill v2 as published: free-form holes, a rough and a fine image, against SN-PatchGAN.

Data: Places2, 256x256 crops, batches of 16; Adam at 1e-4 with betas 0.5 and 0.999 for both networks. Each hole is a rectangle of 96 to 128
pixels and brush strokes. The absolute errors of both images and the game weigh 1 each, on images in [-1, 1]: 4 for the mean of the two on
[0, 1]. The hinge loss of the discriminator is halved; it sees the filled image and the mask.
Expected: on Places2 an absolute error of 9.1 % and a squared error of 1.6 % for free-form masks (the paper), within 0.5 and 0.2 points.
Cost: the paper does not say how many steps; one million are set. Not measured.

    jaxrestore train experiments/inpainting/deepfill_v2.py data.path=places2 validation.path=places2_validation
    jaxrestore train experiments/inpainting/deepfill_v2.py steps=300 data.path=T91 data.batch=4 data.patch=64 data.workers=0 \
      model.fields.features=16 optimizer.rate=2e-3 objective.arguments.discriminator_rate=1e-4 objective.arguments.weight=0.02 \
      objective.arguments.fields.features=8 validation.path=Set5 validation.crop=128 validation.every=150 run=runs/deepfill_v2_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("deepfill_v2", {}),
    data=Data("places2", patch=256, batch=16, workers=8),
    degradation="erase:count=1:size=0.375..0.5:fill=0.5,strokes:fill=0.5",
    objective=Objective(
        "adversarial",
        {
            "discriminator": "deepfill_v2_discriminator",
            "fields": {},
            "game": "hinge",
            "weight": 1.0,
            "content": 4.0,
            "discriminator_weight": 0.5,
        },
    ),
    loss="l1",
    supervision=0.5,
    steps=1_000_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="constant", betas=(0.5, 0.999), ema=None),
    validation=Validation(crop=256, images=20, every=5000),
    run="runs/deepfill_v2",
)
