r"""SRGAN x4 as published: SRResNet's weights, trained on against a discriminator, with VGG-19's features instead of pixels as the content.

Data: 350,000 images of ImageNet, patches 96x96, batches of 16; Adam at 1e-4, after 100,000 steps at 1e-5. The content loss is the squared
error of the last convolution's activations, scaled by 0.006; the game's weight is 0.001.
Expected: 29.40 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.3 dB: less than SRResNet's, for sharper pictures.
Cost: 200,000 steps after SRResNet's 1,000,000; not measured. It needs weights of VGG-19 in torchvision's layout.
The reduced run has no such file: it starts from nothing, and plays the game beside the squared error.

    jaxrestore train experiments/super_resolution/srgan.py data.path=ImageNet validation.path=Set5 \
      objective.arguments.features=vgg19.pth transfer.source=runs/srresnet
    jaxrestore train experiments/super_resolution/srgan.py steps=150 data.path=T91 data.batch=4 data.patch=48 data.workers=0 \
      optimizer.rate=1e-3 optimizer.schedule=constant model.fields.features=24 model.fields.depth=4 transfer.source=none \
      objective.arguments.features=none objective.arguments.content=1 objective.arguments.discriminator_rate=1e-4 \
      objective.arguments.fields.features=4 objective.arguments.fields.dense_features=64 \
      validation.path=Set5 validation.every=75 run=runs/srgan_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Transfer, Validation

config = Experiment(
    model=Model("srgan_x4"),
    data=Data("ImageNet", patch=96, batch=16, workers=8),
    degradation="downsample:scale=4,quantise",
    objective=Objective(
        "adversarial",
        {
            "discriminator": "srgan_discriminator",
            "fields": {},
            "game": "vanilla",
            "weight": 1e-3,
            "content": 0.0,
            "features": "vgg19.pth",
            "layers": {"relu5_4": 0.006},
            "distance": "mse",
        },
    ),
    loss="mse",
    steps=200_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(100_000,), factor=0.1, ema=None),
    transfer=Transfer("runs/srresnet"),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/srgan",
)
