r"""A feature-matching conditional GAN: its images have the mean features of real ones, as the discriminator sees them.

Data: aligned faces of 128x128. Folders bring no labels, so the networks are without classes.
Expected: no PSNR is published; the paper reports how often a classifier recognises generated faces (79.76 % on FaceScrub).
Cost: 100,000 steps; not measured.

    jaxrestore train experiments/generative/fm_cgan.py data.path=FaceScrub
    jaxrestore train experiments/generative/fm_cgan.py steps=300 data.path=T91 data.batch=8 data.patch=16 data.workers=0 \
      optimizer.rate=1e-3 model.fields.image_size=16 model.fields.latent=32 model.fields.encoder_features='(16,32)' \
      model.fields.features='(32,16)' model.fields.kernel_sizes='(3,3,5)' model.fields.dense=64 \
      objective.arguments.discriminator_fields.image_size=16 objective.arguments.discriminator_fields.features='(8,16)' \
      run=runs/fm_cgan_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("fm_cgan", {"classes": 0}),
    data=Data("FaceScrub", patch=128, batch=64, workers=8),
    degradation="gaussian:sigma=25",
    objective=Objective(
        "variational",
        {
            "divergence": 0.0,
            "reconstruction": 0.0,
            "mean_features": 1.0,
            "adversarial": 0.0,
            "discriminator": "cvae_gan_discriminator",
            "discriminator_fields": {"image_size": 128},
        },
    ),
    steps=100_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="constant", betas=(0.5, 0.999), ema=None),
    run="runs/fm_cgan",
)
