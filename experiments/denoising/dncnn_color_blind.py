r"""CDnCNN-B as published: a blind colour denoiser for sigma 0 to 55.

Data: 400 or more colour photographs (data.path=...), patches 50x50, batches of 128; Adam in place of the paper's SGD.
Expected: CBSD68 at sigma 25: 31.2 dB (RGB PSNR of the whole image), within 0.15 dB.
Cost: 150,000 steps; a few hours on one data-centre GPU.

    jaxrestore train experiments/denoising/dncnn_color_blind.py data.path=BSDS400 validation.path=Set5
    jaxrestore train experiments/denoising/dncnn_color_blind.py steps=1000 data.path=T91 data.batch=8 data.patch=32 data.workers=0 \
      precision=float32 optimizer.rate=2e-3 optimizer.schedule=cosine optimizer.ema=none model.fields.features=16 model.fields.depth=6 \
      validation.path=Set5 validation.crop=128 validation.images=5 validation.every=500 run=runs/dncnn_color_blind_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("dncnn_color_blind"),
    data=Data("BSDS400", patch=50, batch=128, workers=4),
    degradation="gaussian:sigma=0..55",
    loss="mse",
    steps=150_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="exponential", final_rate=1e-5, ema=0.999),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=16, every=2000),
    precision="bfloat16",
    run="runs/dncnn_color_blind",
)
