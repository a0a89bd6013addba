r"""The autoencoder of clean photos of "Bringing Old Photos Back to Life", in a plain form.

Data: Pascal VOC, 256x256 crops, batches of 120; Adam at 2e-4 with betas 0.5 and 0.999, constant for 100 epochs and falling to zero in 100
more. Latents are drawn with variance one in training. The published loss has a least-squares game with features matched in two scales of a
spectrally normalised discriminator, VGG-19's features and the latents' mean square; here it is the absolute error and a least-squares game
against one patch discriminator.
Expected: no score of the autoencoder alone is published; its PSNR above that of the picture shrunk four times and enlarged again.
Cost: 27,600 steps; not measured.

    jaxrestore train experiments/inpainting/old_photo_vae.py data.path=VOC validation.path=Set5
    jaxrestore train experiments/inpainting/old_photo_vae.py steps=300 data.path=T91 data.batch=4 data.patch=64 data.workers=0 \
      model.fields.features=16 model.fields.most_features=16 optimizer.rate=2e-3 objective.arguments.discriminator_rate=1e-4 \
      objective.arguments.weight=0.02 objective.arguments.fields.features=8 validation.path=Set5 validation.crop=128 \
      validation.every=150 run=runs/old_photo_vae_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("old_photo_vae", {}),
    data=Data("VOC", patch=256, batch=120, workers=8),
    degradation="clip",  # nothing: a clean photo comes back as it is
    objective=Objective(
        "adversarial",
        {
            "discriminator": "cyclegan_discriminator",
            "fields": {},
            "game": "least_squares",
            "weight": 1.0,
            "content": 60.0,
            "discriminator_weight": 0.5,
        },
    ),
    loss="l1",
    steps=27_600,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="linear", milestones=(13_800,), final_rate=1e-9, betas=(0.5, 0.999), ema=None),
    validation=Validation(crop=256, images=5, every=1000),
    run="runs/old_photo_vae",
)
