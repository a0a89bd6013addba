r"""IPT x4 without pre-training on other tasks: an encoder and a decoder over patches of 48x48 pixels.

Data: ImageNet, patches 192x192 (48x48 in the input), batches of 256, 300 epochs of 10 million patches; Adam at 5e-5, 2e-5 after 200. The
paper trains six tasks at once with a contrastive loss beside the absolute error, and then each task alone; neither is here.
Expected: below the paper's 32.64 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out); its ablation of pre-training is not repeated
here.
Cost: 11,700,000 steps; not measured.

    jaxrestore train experiments/super_resolution/ipt.py data.path=ImageNet validation.path=Set5
    jaxrestore train experiments/super_resolution/ipt.py steps=150 data.path=T91 data.batch=8 data.patch=48 data.workers=0 \
      optimizer.rate=1e-3 optimizer.ema=none model.fields.features=8 model.fields.image_size=12 model.fields.layers=1 \
      model.fields.heads=4 model.fields.shave=4 validation.path=Set5 validation.every=150 run=runs/ipt_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("ipt_x4"),
    data=Data("ImageNet", patch=192, batch=256, workers=8),
    degradation="downsample:scale=4,quantise",
    loss="l1",
    steps=11_700_000,
    optimizer=Optimizer(name="adam", rate=5e-5, schedule="milestones", milestones=(7_800_000,), factor=0.4, ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/ipt",
)
