r"""EnhanceNet-E x4 as published: residual blocks and nearest-neighbour enlargement learn the difference to bicubic interpolation.

Data: 200,000 images of MSCOCO, patches 128x128, batches of 64; Adam at 1e-4. The paper shrinks with Pillow's Lanczos filter, here it is
MATLAB's bicubic one, on which its table is measured. The variant with features, a game and textures: enhancenet_pat.py.
Expected: 31.74 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.15 dB.
Cost: 400,000 steps (the paper gives no number); not measured.

    jaxrestore train experiments/super_resolution/enhancenet.py data.path=MSCOCO validation.path=Set5
    jaxrestore train experiments/super_resolution/enhancenet.py steps=500 data.path=T91 data.batch=8 data.patch=96 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=24 model.fields.depth=4 validation.path=Set5 \
      validation.every=250 run=runs/enhancenet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("enhancenet_x4"),
    data=Data("MSCOCO", patch=128, batch=64, workers=8),
    degradation="downsample:scale=4,quantise",
    loss="mse",
    steps=400_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="constant", ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/enhancenet",
)
