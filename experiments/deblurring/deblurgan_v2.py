r"""DeblurGAN-v2 on Inception-ResNet-v2 as published: a relativistic game of least squares against two discriminators.

Data: the 2,103 pairs of GoPro (data.path=blur data.target=sharp; the paper adds those of DVD and NFS), one crop of 256x256 a step; Adam at
1e-4 for 150 epochs, then straight down to 1e-7 in 150 more. The loss is 0.5 * squared error + 0.006 * squared error of VGG-19's features of
conv3_3 + 0.01 * game, the mean of that with patches and that with the whole image. The paper keeps the backbone's ImageNet weights still
for three epochs: a run of 6,309 steps before this one, with transfer.freeze=backbone.
Expected: 29.55 dB and SSIM 0.934 on GoPro's test pairs.
Cost: 630,900 steps; not measured. It needs weights of VGG-19 in torchvision's layout, and the backbone's.
The reduced run has no such files and no such pairs: it blurs on the device and plays the game beside the squared error.

    jaxrestore train experiments/deblurring/deblurgan_v2.py data.path=GoPro/blur data.target=GoPro/sharp validation.path=Set5 \
      objective.arguments.features=vgg19.pth
    jaxrestore train experiments/deblurring/deblurgan_v2.py steps=150 degradation=motion_blur:length=5..9:angle=0..180:size=15 \
      data.source=folder data.path=T91 data.target=none data.patch=64 data.batch=2 data.workers=0 \
      validation.recipe=motion_blur:length=7:angle=30:size=15 optimizer.rate=1e-3 'optimizer.milestones=(75,)' model.fields.features=8 \
      model.fields.pyramid_features=16 model.fields.channel_divisor=8 'model.fields.depths=(1,1,1)' model.fields.classes=2 \
      objective.arguments.features=none objective.arguments.content=100 objective.arguments.discriminator_rate=1e-4 \
      objective.arguments.fields.features=8 validation.path=Set5 validation.crop=96 validation.every=75 run=runs/deblurgan_v2_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("deblurgan_v2_inception"),
    data=Data("GoPro/blur", source="pairs", target="GoPro/sharp", patch=256, batch=1, workers=8),
    objective=Objective(
        "adversarial",
        {
            "discriminator": "deblurgan_v2_discriminator",
            "fields": {},
            "game": "relativistic_average_least_squares",
            "weight": 0.01,
            "discriminator_weight": 0.5,
            "content": 0.5,
            "features": "vgg19.pth",
            "layers": {"conv3_3": 0.006},
            "distance": "mse",
        },
    ),
    loss="mse",
    steps=630_900,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="linear", milestones=(315_450,), final_rate=1e-7, ema=None),
    validation=Validation(recipe="camera_shake", crop=256, images=16, every=10_515),
    run="runs/deblurgan_v2",
)
