r"""DeepDeblur as its authors retrain it: the absolute error at three scales, on pairs of blurred and sharp frames.

Data: the 2,103 pairs of GoPro with blur in linear light (data.path=blur_gamma data.target=sharp), crops of 256x256, batches of 16; Adam at
1e-4, halved after 500, 750 and 900 of 1,000 epochs. Each scale's loss counts alike, against the clean image reduced to its size.
Simplified: without the authors' changes of saturation, exchanges of channels and noise.
Expected: 30.40 dB and SSIM 0.902 on GoPro's test pairs (the paper, with squared error and a discriminator: 29.08 dB).
Cost: 131,000 steps; not measured.

    jaxrestore train experiments/deblurring/deepdeblur.py data.path=GoPro/blur_gamma data.target=GoPro/sharp validation.path=Set5
    jaxrestore train experiments/deblurring/deepdeblur.py steps=300 degradation=motion_blur:length=5..9:angle=0..180:size=15 \
      data.source=folder data.path=T91 data.target=none data.patch=48 data.batch=4 data.workers=0 \
      validation.recipe=motion_blur:length=7:angle=30:size=15 optimizer.rate=1e-3 'optimizer.milestones=(150,250)' \
      model.fields.features=12 model.fields.depth=2 validation.path=Set5 validation.crop=96 validation.every=150 \
      run=runs/deepdeblur_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("deepdeblur"),
    data=Data("GoPro/blur_gamma", source="pairs", target="GoPro/sharp", patch=256, batch=16, workers=8),
    loss="l1",
    supervision=2 / 3,
    steps=131_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="milestones", milestones=(65_500, 98_250, 117_900), factor=0.5, ema=None),
    validation=Validation(recipe="camera_shake", crop=256, images=16, every=1_310),
    run="runs/deepdeblur",
)
