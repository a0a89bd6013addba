r"""A video U-Net that removes noise and fills in a missing frame of five.

Data: a window of 64x64 that moves over pictures; data.source=videos data.path=clips data.frames=5 takes clips of real
videos, of files or folders of frames, instead. One frame of each clip is missing.
Expected: a lower error than straight lines between the neighbours of the missing frame, and than the noisy frames; no number is published.
Cost: 200,000 steps; not measured.

    jaxrestore train experiments/generative/video_unet.py data.path=DIV2K
    jaxrestore train experiments/generative/video_unet.py steps=300 data.path=T91 data.batch=4 data.patch=32 data.workers=0 \
      optimizer.rate=2e-3 model.fields.features='(8,16)' objective.arguments.window=24 run=runs/video_unet_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("video_unet"),
    data=Data("DIV2K", patch=96, batch=16, workers=8),
    degradation="gaussian:sigma=25",
    objective=Objective("video", {"frames": 5, "window": 64, "missing": 1}),
    loss="l1",
    steps=200_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="cosine"),
    run="runs/video_unet",
)
