r"""DeblurGAN as published: a generator against a Wasserstein critic, on pairs of blurred and sharp frames.

Data: the 2,103 pairs of GoPro (data.path=blur data.target=sharp), one crop of 256x256 a step; Adam at 1e-4 with betas of 0.5 and 0.999, the
second half of 300 epochs straight down to zero. The loss is the critic's score + 100 * squared error of VGG-19's features of conv3_3, the
gradient penalty's weight 10. Five steps of the critic for each of the generator, and each counts here: 300 * 2,103 * 5.
Expected: 28.7 dB on GoPro's test pairs, whose SSIM of 0.958 follows a convention that others do not reproduce.
Cost: 3,154,500 steps; not measured. It needs weights of VGG-19 in torchvision's layout.
The reduced run has no such file and no such pairs: it blurs on the device and plays the game beside the absolute error.

    jaxrestore train experiments/deblurring/deblurgan.py data.path=GoPro/blur data.target=GoPro/sharp validation.path=Set5 \
      objective.arguments.features=vgg19.pth
    jaxrestore train experiments/deblurring/deblurgan.py steps=300 degradation=motion_blur:length=5..9:angle=0..180:size=15 \
      data.source=folder data.path=T91 data.target=none data.patch=48 data.batch=4 data.workers=0 \
      validation.recipe=motion_blur:length=7:angle=30:size=15 optimizer.rate=1e-3 'optimizer.milestones=(150,)' model.fields.features=8 \
      model.fields.depth=2 model.fields.dropout=0.0 objective.arguments.features=none objective.arguments.content=100 \
      objective.arguments.critic_steps=1 objective.arguments.discriminator_rate=1e-4 objective.arguments.fields.features=8 \
      validation.path=Set5 validation.crop=96 validation.every=150 run=runs/deblurgan_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("deblurgan"),
    data=Data("GoPro/blur", source="pairs", target="GoPro/sharp", patch=256, batch=1, workers=8),
    objective=Objective(
        "adversarial",
        {
            "discriminator": "deblurgan_discriminator",
            "fields": {},
            "game": "wasserstein",
            "weight": 1.0,
            "content": 0.0,
            "features": "vgg19.pth",
            "layers": {"conv3_3": 100.0},
            "distance": "mse",
            "penalty": 10.0,
            "critic_steps": 5,
        },
    ),
    loss="l1",
    steps=3_154_500,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="linear", milestones=(1_577_250,), final_rate=0.0, betas=(0.5, 0.999), ema=None),
    validation=Validation(recipe="camera_shake", crop=256, images=16, every=10_515),
    run="runs/deblurgan",
)
