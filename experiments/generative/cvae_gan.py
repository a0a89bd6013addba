r"""CVAE-GAN as a restorer of 128x128 images of known people: the paper's networks, terms and weights.

Data: aligned faces of 128x128, of each person in a subfolder: 530 people of FaceScrub. The short run is on a folder of pictures without
classes, so that its networks are without them too, and the classifier with its term is left out.
Expected: no PSNR is published; the paper reports how often a classifier recognises generated faces (97.78 % on FaceScrub).
Cost: 100,000 steps; not measured.

    jaxrestore train experiments/generative/cvae_gan.py data.path=FaceScrub
    jaxrestore train experiments/generative/cvae_gan.py steps=800 data.path=T91 data.source=folder model.fields.classes=0 \
      objective.arguments.classifier=none data.batch=8 data.patch=16 data.workers=0 \
      degradation=gaussian:sigma=75 optimizer.rate=1e-3 model.fields.image_size=16 model.fields.latent=32 \
      model.fields.encoder_features='(16,32)' \
      model.fields.features='(32,16)' model.fields.kernel_sizes='(3,3,5)' model.fields.dense=64 \
      objective.arguments.discriminator_fields.image_size=16 objective.arguments.discriminator_fields.features='(8,16)' \
      run=runs/cvae_gan_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("cvae_gan"),
    data=Data("FaceScrub", source="classes", patch=128, batch=64, workers=8),
    degradation="gaussian:sigma=25",
    objective=Objective(
        "variational",
        {
            "discriminator": "cvae_gan_discriminator",
            "discriminator_fields": {"image_size": 128},
            "classifier": "cvae_gan_classifier",
        },
    ),
    steps=100_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="constant", betas=(0.5, 0.999), ema=None),
    run="runs/cvae_gan",
)
