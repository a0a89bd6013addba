r"""EDCNN as published: one network for pictures of low resolution, noisy and with pieces missing.

Data: photographs of at least 256x256 (data.path=...). The paper's 685 + 170 pictures of cars and motorcycles are not public; batches of
16 for 100 epochs of 685 pictures are 4,300 steps. Degradation, loss and rate are the paper's as far as it gives them (it names low
resolution x4, noise and erased pieces, MSE, 1e-3); the levels, the schedule and the average of the weights are ours.
Expected: the paper reports 31.15 dB on its own test pictures with skips and 21.43 dB without (model.name=edcnn_no_skip). On other pictures
the numbers differ, since the levels of its degradations are unknown; the claim to test is that skips gain several dB.
Measured small (model.fields.features=16 data.patch=64 data.batch=8 steps=600 optimizer.ema=0.99 on BSDS400, RGB PSNR of Set5's 128x128
centres): 20.23 dB with Tanh in the blocks, 22.47 dB with model.fields.activation=leaky_relu, and 15.90 dB with that but without skips.
Cost: 2 * 10^16 floating-point operations (96 * 10^9 for each picture of 256x256, three times that with the way back): a GPU's work.

    jaxrestore train experiments/restoration/edcnn.py data.path=photographs validation.path=Set5
    jaxrestore train experiments/restoration/edcnn.py steps=400 data.path=T91 data.batch=8 data.patch=48 data.workers=0 \
      optimizer.ema=none model.fields.features=16 validation.path=Set5 validation.crop=128 validation.images=5 \
      validation.every=200 run=runs/edcnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("edcnn"),
    data=Data("photographs", patch=256, batch=16, workers=4),
    degradation="edcnn",
    loss="mse",
    steps=4_300,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", final_rate=1e-6, ema=0.999),
    validation=Validation(crop=256, images=16, every=430),
    log_every=43,
    checkpoint_every=430,
    run="runs/edcnn",
)
