r"""TGAN on videos of UCF-101 as published: a Wasserstein game whose critic's singular values are clipped every 5 steps.

Data: 16 frames of 64x64 of UCF-101; batches of 32; RMSProp at 5e-5, decay 0.99. Here a window of 64x64 that moves
over each picture of a folder; data.source=videos data.path=UCF101 data.patch=64 takes clips of real
videos, of files or folders of frames, instead.
Expected: an inception score of 11.85 on UCF-101 in the paper; not measured here.
Cost: 1000 epochs, about 300,000 steps; not measured.

    jaxrestore train experiments/generative/tgan.py data.path=UCF101_frames
    jaxrestore train experiments/generative/tgan.py steps=200 data.path=T91 data.batch=4 data.patch=32 data.workers=0 \
      optimizer.rate=1e-3 model.fields.slow=16 model.fields.fast=16 model.fields.temporal_features='(16,16,8,8)' \
      model.fields.features=32 model.fields.bottom=1 model.fields.bound=none \
      objective.arguments.fields.features=4 objective.arguments.fields.top=1 objective.arguments.fields.bound=none run=runs/tgan_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("tgan_ucf101"),
    data=Data("UCF101_frames", patch=96, batch=32, workers=8, augment=False),
    objective=Objective("video_game", {"critic": "tgan_discriminator_ucf101", "clip_every": 5, "fields": {"top": 4}}),
    steps=300_000,
    optimizer=Optimizer(name="rmsprop", rate=5e-5, schedule="constant", betas=(0.0, 0.99), ema=None),
    run="runs/tgan",
)
