r"""NAFNet of width 32 as published for blur by motion: pairs of blurred and sharp frames.

Data: the 2,103 pairs of GoPro (data.path=blur data.target=sharp), crops of 256x256, batches of 32, flips; AdamW without decay, betas of
0.9 and 0.9, a cosine from 1e-3 to 1e-7; the loss is the negative PSNR; gradients clipped at 0.01 as in its public code. Validation blurs
sharp pictures by random paths of a camera.
Expected: 32.87 dB and SSIM 0.961 on GoPro's test pairs (RGB), with means over windows of 384 pixels.
Cost: 200,000 steps; not measured.

    jaxrestore train experiments/deblurring/nafnet.py data.path=GoPro/blur data.target=GoPro/sharp validation.path=Set5
    jaxrestore train experiments/deblurring/nafnet.py steps=400 degradation=motion_blur:length=5..9:angle=0..180:size=15 \
      data.source=folder data.path=BSDS400 data.target=none data.patch=64 data.batch=4 data.workers=0 \
      validation.recipe=motion_blur:length=7:angle=30:size=15 optimizer.ema=none optimizer.clip=none model.fields.features=12 \
      'model.fields.encoder=(1,1,2)' 'model.fields.decoder=(1,1,1)' validation.path=Set5 validation.crop=96 validation.every=200 \
      run=runs/nafnet_gopro_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("nafnet_gopro_width32"),
    data=Data("GoPro/blur", source="pairs", target="GoPro/sharp", patch=256, batch=32, workers=8),
    loss="psnr_loss",
    steps=200_000,
    optimizer=Optimizer(name="adamw", rate=1e-3, schedule="cosine", final_rate=1e-7, betas=(0.9, 0.9), clip=0.01, ema=None),
    validation=Validation(recipe="camera_shake", crop=256, images=16, every=5000),
    run="runs/nafnet_gopro",
)
