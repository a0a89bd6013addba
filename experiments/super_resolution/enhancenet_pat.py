r"""EnhanceNet-PAT x4: the same network as EnhanceNet-E, trained for features, a game and textures instead of pixels.

Data: 200,000 images of MSCOCO, patches 128x128, batches of 64; Adam at 1e-4. The loss is VGG-19's squared feature error (0.2 after the
second pooling, 0.02 after the fifth) + game + its texture loss in squares of 16 pixels (3e-7, 1e-6 and 1e-6 at the first convolution of the
first three groups). As published the weights are for features of the authors' scaling; here the VGG is torchvision's. The paper lets the
discriminator rest while it wins too clearly, which is left out.
Expected: 28.56 dB on Set5 x4 (PSNR of the luma, 4 border pixels left out), within 0.5 dB: less than EnhanceNet-E's, for sharper pictures.
Cost: 400,000 steps (the paper gives no number); not measured. It needs weights of VGG-19 in torchvision's layout.
The reduced run has no such file: it plays the game beside the squared error.

    jaxrestore train experiments/super_resolution/enhancenet_pat.py data.path=MSCOCO validation.path=Set5 \
      objective.arguments.features=vgg19.pth
    jaxrestore train experiments/super_resolution/enhancenet_pat.py steps=150 data.path=T91 data.batch=4 data.patch=48 data.workers=0 \
      optimizer.rate=1e-3 model.fields.features=24 model.fields.depth=4 objective.arguments.features=none \
      objective.arguments.content=1 objective.arguments.weight=1e-3 objective.arguments.discriminator_rate=1e-4 \
      objective.arguments.fields.features=4 objective.arguments.fields.dense_features=64 \
      validation.path=Set5 validation.every=75 run=runs/enhancenet_pat_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("enhancenet_x4"),
    data=Data("MSCOCO", patch=128, batch=64, workers=8),
    degradation="downsample:scale=4,quantise",
    objective=Objective(
        "adversarial",
        {
            "discriminator": "enhancenet_discriminator",
            "fields": {},
            "game": "vanilla",
            "weight": 1.0,
            "content": 0.0,
            "features": "vgg19.pth",
            "layers": {"pool2": 0.2, "pool5": 0.02},
            "distance": "mse",
            "textures": {"conv1_1": 3e-7, "conv2_1": 1e-6, "conv3_1": 1e-6},
        },
    ),
    loss="mse",
    steps=400_000,
    optimizer=Optimizer(name="adam", rate=1e-4, schedule="constant", ema=None),
    validation=Validation(crop=256, images=5, every=5000),
    run="runs/enhancenet_pat",
)
