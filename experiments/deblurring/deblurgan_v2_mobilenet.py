r"""DeblurGAN-v2 on MobileNetV2 as published: a relativistic game of least squares against two discriminators.

Data, loss and schedule: as deblurgan_v2.py.
Expected: 28.17 dB and SSIM 0.925 on GoPro's test pairs.
Cost: 630,900 steps; not measured. It needs weights of VGG-19 in torchvision's layout, and the backbone's.
The reduced run has no such files and no such pairs: it blurs on the device and plays the game beside the squared error.

    jaxrestore train experiments/deblurring/deblurgan_v2_mobilenet.py data.path=GoPro/blur data.target=GoPro/sharp validation.path=Set5 \
      objective.arguments.features=vgg19.pth
    jaxrestore train experiments/deblurring/deblurgan_v2_mobilenet.py steps=500 degradation=motion_blur:length=5..9:angle=0..180:size=15 \
      data.source=folder data.path=T91 data.target=none data.patch=64 data.batch=4 data.workers=0 \
      validation.recipe=motion_blur:length=7:angle=30:size=15 optimizer.rate=1e-3 'optimizer.milestones=(300,)' model.fields.features=8 \
      model.fields.pyramid_features=16 model.fields.width=0.25 model.fields.last_features=8 objective.arguments.features=none \
      objective.arguments.content=100 objective.arguments.discriminator_rate=1e-4 objective.arguments.fields.features=8 \
      validation.path=Set5 validation.crop=96 validation.every=250 run=runs/deblurgan_v2_mobilenet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("deblurgan_v2_mobilenet"),
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
    run="runs/deblurgan_v2_mobilenet",
)
