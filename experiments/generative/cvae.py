r"""A conditional variational autoencoder as a restorer: CVAE-GAN without its partners, the evidence lower bound alone.

Data: aligned faces of 128x128, without classes; data.source=classes model.fields.classes=... takes a folder with a subfolder for each.
Expected: no PSNR is published. A lower bound of the likelihood under unit variance.
Cost: 100,000 steps; not measured.

    jaxrestore train experiments/generative/cvae.py data.path=FaceScrub
    jaxrestore train experiments/generative/cvae.py steps=800 data.path=T91 data.batch=8 data.patch=16 data.workers=0 \
      degradation=gaussian:sigma=75 optimizer.rate=1e-3 model.fields.image_size=16 model.fields.latent=32 \
      model.fields.encoder_features='(16,32)' \
      model.fields.features='(32,16)' model.fields.kernel_sizes='(3,3,5)' model.fields.dense=64 \
      run=runs/cvae_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("cvae", {"classes": 0}),
    data=Data("FaceScrub", patch=128, batch=64, workers=8),
    degradation="gaussian:sigma=25",
    objective=Objective("variational", {"divergence": 1.0}),
    steps=100_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="constant", betas=(0.5, 0.999), ema=None),
    run="runs/cvae",
)
