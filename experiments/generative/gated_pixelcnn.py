r"""Gated PixelCNN on small colour images: the likelihood of each value given those before it, without labels.

Data: CIFAR-10 as a folder of pictures, which brings no labels: the network is without classes.
Expected: 3.03 bits per dimension on CIFAR-10 in the paper, that is 2.10 nats; the widths here are those of its public reimplementation.
Cost: 200,000 steps of 128 images; not measured.

    jaxrestore train experiments/generative/gated_pixelcnn.py data.path=CIFAR10
    jaxrestore train experiments/generative/gated_pixelcnn.py steps=300 data.path=T91 data.batch=8 data.patch=16 data.workers=0 \
      optimizer.rate=3e-3 model.fields.features=12 model.fields.layers=2 model.fields.hidden=24 model.fields.levels=16 \
      run=runs/gated_pixelcnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("gated_pixelcnn", {"classes": 0}),
    data=Data("CIFAR10", patch=32, batch=128, workers=8, augment=False),
    objective=Objective("autoregressive"),
    steps=200_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="constant", ema=None),
    run="runs/gated_pixelcnn",
)
