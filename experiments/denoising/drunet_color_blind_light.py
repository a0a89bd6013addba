r"""The colour denoiser that comes with the package: blind, sigma 0 to 55, small enough to be trained on a CPU.

Data: 400 images of BSDS500 (its train and test parts); give their folder with data.path=..., and Set5's or any other clean pictures with
validation.path=... .
Expected: at least 9 dB over the noisy input on Set5 at sigma 25 (RGB PSNR of the whole image).
Cost: about an hour on 2 CPU cores.

    jaxrestore train experiments/denoising/drunet_color_blind_light.py data.path=BSDS400 validation.path=Set5
    jaxrestore train experiments/denoising/drunet_color_blind_light.py steps=400 data.path=T91 data.batch=8 data.patch=32 \
      optimizer.rate=2e-3 optimizer.ema=none 'model.fields.features=(16,32)' model.fields.blocks=1 validation.path=Set5 \
      validation.every=200 run=runs/drunet_color_blind_light_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("drunet_color_blind_light"),
    data=Data("BSDS400", patch=64, batch=16, workers=0, cache="memory"),
    degradation="gaussian:sigma=0..55",
    loss="l1",
    steps=8_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", final_rate=1e-6, warmup=50, ema=0.999),
    validation=Validation(recipe="gaussian:sigma=25", crop=128, images=5, every=1000),
    log_every=100,
    checkpoint_every=500,
    run="runs/drunet_color_blind_light",
)
