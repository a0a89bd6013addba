r"""PixelCNN on small grey images: the likelihood of each pixel given those before it.

Data: grey crops of 28x28; the paper trains on binary MNIST and on CIFAR-10, where it reaches 3.14 bits per dimension in colour.
Expected: a loss well below log(256) = 5.55 nats, which is 8 bits per dimension; divide by log(2). Not comparable with the paper's data.
Cost: 200,000 steps; not measured.

    jaxrestore train experiments/generative/pixelcnn.py data.path=CIFAR10
    jaxrestore train experiments/generative/pixelcnn.py steps=300 data.path=T91 data.batch=16 data.patch=16 data.workers=0 \
      optimizer.rate=3e-3 model.fields.features=16 model.fields.depth=4 model.fields.levels=16 run=runs/pixelcnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("pixelcnn"),
    data=Data("CIFAR10", channels=1, patch=28, batch=64, workers=8, augment=False),
    objective=Objective("autoregressive"),
    steps=200_000,
    optimizer=Optimizer(name="rmsprop", rate=1e-3, schedule="constant", betas=(0.0, 0.95), ema=None),
    run="runs/pixelcnn",
)
