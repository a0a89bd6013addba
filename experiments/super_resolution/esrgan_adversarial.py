r"""ESRGAN x4, its second stage as published: the network trained for PSNR, trained on in a relativistic game.

Data: DIV2K and Flickr2K, patches 128x128, batches of 16; Adam at 1e-4, halved after 50,000, 100,000, 200,000 and 300,000 steps. The loss is
the absolute error of VGG-19's last convolution before its activation + 0.005 * game + 0.01 * absolute error. The authors' code halves both
sides of the game, which is why its weight here is 0.0025.
Expected: about 30.4 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), 2.3 dB less than after the first stage, for sharper
pictures; the authors measure the perceptual index.
Cost: 400,000 steps after the first stage's 1,000,000; not measured. It needs weights of VGG-19 in torchvision's layout.
The reduced run has no such file: it starts from nothing, and plays the game beside the absolute error.

    jaxrestore train experiments/super_resolution/esrgan_adversarial.py data.path=DF2K validation.path=Set5 \
      objective.arguments.features=vgg19.pth transfer.source=runs/esrgan
    jaxrestore train experiments/super_resolution/esrgan_adversarial.py steps=150 data.path=T91 data.batch=4 data.patch=48 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=24 model.fields.growth=8 model.fields.depth=2 transfer.source=none \
      objective.arguments.features=none objective.arguments.content=1 objective.arguments.discriminator_rate=1e-4 \
      objective.arguments.fields.features=4 validation.path=Set5 validation.every=75 run=runs/esrgan_adversarial_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Transfer, Validation

config = Experiment(
    model=Model("esrgan_x4"),
    data=Data("DF2K", patch=128, batch=16, workers=8),
    degradation="downsample:scale=4,quantise",
    objective=Objective(
        "adversarial",
        {
            "discriminator": "esrgan_discriminator",
            "fields": {},
            "game": "relativistic_average",
            "weight": 2.5e-3,
            "discriminator_weight": 0.5,
            "content": 1e-2,
            "features": "vgg19.pth",
            "layers": {"conv5_4": 1.0},
            "distance": "l1",
        },
    ),
    loss="l1",
    steps=400_000,
    optimizer=Optimizer(
        name="adam", rate=1e-4, schedule="milestones", milestones=(50_000, 100_000, 200_000, 300_000), betas=(0.9, 0.99), ema=0.999
    ),
    transfer=Transfer("runs/esrgan"),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/esrgan_adversarial",
)
