r"""Old photos restored: encoder, mapping and decoder of "Bringing Old Photos Back to Life", trained together on synthetic damage.

Data: Pascal VOC with synthetic grain, faded colours and yellowed paper, 256x256 crops, batches of 80; Adam at 2e-4 with betas 0.5 and
0.999, constant for 150 epochs and falling to zero in 100 more. As published the two autoencoders are trained first and stay, and the
mapping
minimises 60 times the absolute error of the latents with a least-squares game, matched features and VGG-19's; here the whole is trained at
once on the absolute error of the image.
Expected: the paper's 23.33 dB on synthetically aged DIV2K, which its own loss reaches; for this one a PSNR above that of the aged picture.
Cost: 53,000 steps; not measured.

    jaxrestore train experiments/inpainting/old_photo_restorer.py data.path=VOC validation.path=Set5
    jaxrestore train experiments/inpainting/old_photo_restorer.py steps=400 data.path=T91 data.batch=4 data.patch=64 data.workers=0 \
      model.fields.features=16 model.fields.most_features=16 model.fields.mapping_features=32 model.fields.depth=2 optimizer.rate=5e-4 \
      validation.path=Set5 validation.crop=128 validation.every=150 run=runs/old_photo_restorer_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("old_photo_restorer", {}),
    data=Data("VOC", patch=256, batch=80, workers=8),
    degradation="grain:sigma=5..20,fading:color=0.3..1:contrast=0.2..0.8:yellowing=0.1..0.8,clip",
    loss="l1",
    steps=53_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="linear", milestones=(32_000,), final_rate=1e-9, betas=(0.5, 0.999), ema=None),
    validation=Validation(crop=256, images=5, every=1000),
    run="runs/old_photo_restorer",
)
