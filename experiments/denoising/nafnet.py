r"""NAFNet of width 32 as published for real noise: pairs of noisy and clean photographs of telephones.

Data: the 320 pairs of SIDD-Medium (data.path=noisy data.target=clean), crops of 256x256, batches of 32, without flips; AdamW without
decay, betas 0.9 and 0.9, a cosine from 1e-3 to 1e-7; the loss is the negative PSNR; gradients clipped at 0.01 as in its public code.
Expected: 39.97 dB and SSIM 0.960 on SIDD's validation blocks (RGB).
Cost: 200,000 steps; not measured.

    jaxrestore train experiments/denoising/nafnet.py data.path=SIDD/noisy data.target=SIDD/clean validation.path=SIDD/validation
    jaxrestore train experiments/denoising/nafnet.py steps=400 degradation=gaussian:sigma=25 data.source=folder data.path=BSDS400 \
      data.target=none data.patch=48 data.batch=4 data.workers=0 optimizer.ema=none optimizer.clip=none model.fields.features=12 \
      'model.fields.encoder=(1,1,1)' model.fields.middle=1 'model.fields.decoder=(1,1,1)' validation.path=Set5 validation.crop=96 \
      validation.every=200 run=runs/nafnet_sidd_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("nafnet_sidd_width32"),
    data=Data("SIDD/noisy", source="pairs", target="SIDD/clean", patch=256, batch=32, augment=False, workers=8),
    loss="psnr_loss",
    steps=200_000,
    optimizer=Optimizer(name="adamw", rate=1e-3, schedule="cosine", final_rate=1e-7, betas=(0.9, 0.9), clip=0.01, ema=None),
    validation=Validation(recipe="gaussian:sigma=25", crop=256, images=16, every=5000),
    run="runs/nafnet_sidd",
)
