r"""The restorer on ResNet-101 and a feature pyramid: squared error, again in the worst regions, and a relativistic game. Our own recipe.

Data: the 2,103 pairs of GoPro (data.path=blur data.target=sharp), crops of 256x256, batches of 4; Adam at 1e-4, the second half straight
down to 1e-7. Weights and game are those of DeblurGAN-v2, without its perceptual term.
Expected: no published number; DeblurGAN-v2 of the same size reaches 29.55 dB on GoPro's test pairs.
Cost: 157,500 steps; not measured.

    jaxrestore train experiments/deblurring/region_fpn.py data.path=GoPro/blur data.target=GoPro/sharp validation.path=Set5
    jaxrestore train experiments/deblurring/region_fpn.py steps=500 degradation=motion_blur:length=5..9:angle=0..180:size=15 \
      data.source=folder data.path=T91 data.target=none data.patch=64 data.batch=4 data.workers=0 \
      validation.recipe=motion_blur:length=7:angle=30:size=15 optimizer.rate=1e-3 'optimizer.milestones=(300,)' model.fields.features=8 \
      model.fields.pyramid_features=16 'model.fields.depths=(1,1,1,1)' model.fields.backbone_features=8 objective.arguments.content=100 \
      objective.arguments.discriminator_rate=1e-4 objective.arguments.fields.features=8 loss=mse+0.5*worst_region_mse:side=16:count=4 \
      validation.path=Set5 validation.crop=96 validation.every=250 run=runs/region_fpn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("region_fpn_resnet101"),
    data=Data("GoPro/blur", source="pairs", target="GoPro/sharp", patch=256, batch=4, workers=8),
    objective=Objective(
        "adversarial",
        {
            "discriminator": "deblurgan_v2_discriminator",
            "fields": {},
            "game": "relativistic_average_least_squares",
            "weight": 0.01,
            "discriminator_weight": 0.5,
            "content": 0.5,
        },
    ),
    loss="mse+0.5*worst_region_mse",
    steps=157_500,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="linear", milestones=(78_750,), final_rate=1e-7, ema=None),
    validation=Validation(recipe="camera_shake", crop=256, images=16, every=5_250),
    run="runs/region_fpn",
)
