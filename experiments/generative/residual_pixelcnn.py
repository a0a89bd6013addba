r"""The paper's residual PixelCNN on small colour images: the likelihood of each value given those before it.

Data: CIFAR-10 as a folder of pictures; batches of 16; RMSProp.
Expected: 3.14 bits per dimension on CIFAR-10 in the paper, that is 2.18 nats.
Cost: 500,000 steps; not measured.

    jaxrestore train experiments/generative/residual_pixelcnn.py data.path=CIFAR10
    jaxrestore train experiments/generative/residual_pixelcnn.py steps=300 data.path=T91 data.batch=8 data.patch=16 data.workers=0 \
      optimizer.rate=1e-3 model.fields.features=12 model.fields.blocks=2 model.fields.hidden=24 model.fields.levels=16 \
      run=runs/residual_pixelcnn_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer

config = Experiment(
    model=Model("residual_pixelcnn"),
    data=Data("CIFAR10", patch=32, batch=16, workers=8, augment=False),
    objective=Objective("autoregressive"),
    steps=500_000,
    optimizer=Optimizer(name="rmsprop", rate=1e-3, schedule="constant", betas=(0.0, 0.95), ema=None),
    run="runs/residual_pixelcnn",
)
