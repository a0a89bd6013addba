r"""On-demand learning as published, for grey noise levels from 0 to 100: the fifth of them that does worst is trained most.

Data: 64x64 crops of CelebA or SUN397 (data.path=...), batches of 100, the noisy image clipped; the squared error, Adam at 2e-4 with a first
beta of 0.5, 25 epochs (of SUN397's 100,000 pictures here). After each epoch each fifth of the levels gets a share of the examples that is
inverse to its PSNR in validation. objective.name=supervised trains all levels alike ("rigid joint learning" in the paper).
Expected: the paper has its scores in figures; with the curriculum it gains most at high levels.
Cost: 25,000 steps; not measured.

    jaxrestore train experiments/denoising/on_demand.py data.path=SUN397 validation.path=Set12
    jaxrestore train experiments/denoising/on_demand.py steps=500 data.path=Train400 data.batch=16 data.workers=0 \
      optimizer.rate=2e-3 model.fields.features=12 validation.path=Set12 validation.crop=128 validation.images=4 \
      validation.every=250 run=runs/on_demand_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("on_demand_denoise_gray"),
    data=Data("SUN397", channels=1, patch=64, batch=100, workers=8),
    degradation="gaussian:sigma=0..100,clip",
    objective=Objective("on_demand", {"levels": "denoising"}),
    loss="mse",
    steps=25_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="constant", betas=(0.5, 0.999), ema=None),
    validation=Validation(recipe="gaussian:sigma=50,clip", crop=256, images=12, every=1000),
    run="runs/on_demand",
)
