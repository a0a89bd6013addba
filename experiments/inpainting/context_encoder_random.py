r"""Context encoder for holes anywhere: the whole picture from what is left of it.

Data: pictures scaled to 350 pixels and cropped to 128x128, batches of 64; Adam at 2e-4 with betas 0.5 and 0.999; the squared error weighs
0.999 (of images in [-1, 1]: four times that here) and the game 0.001, as in train_random.lua of the published code. Its holes are
thresholded
noise that covers a quarter of the picture; here they are brush strokes and rectangles.
Expected: no score is published; a PSNR of the whole picture above that of filling the holes with the mean colour.
Cost: 500 epochs, 117,000 steps of Paris StreetView; not measured.

    jaxrestore train experiments/inpainting/context_encoder_random.py data.path=paris_train validation.path=paris_test
    jaxrestore train experiments/inpainting/context_encoder_random.py steps=300 data.path=T91 data.batch=8 data.patch=64 data.workers=0 \
      model.fields.features=12 model.fields.bottleneck=200 model.fields.image_size=64 optimizer.rate=1e-3 \
      objective.arguments.discriminator_rate=2e-4 objective.arguments.fields.features=8 objective.arguments.fields.image_size=64 \
      validation.path=Set5 validation.crop=64 validation.every=150 run=runs/context_encoder_random_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("context_encoder_random", {}),
    data=Data("paris_train", patch=128, batch=64, workers=8),
    degradation="erase:count=1..3:size=0.1..0.4:fill=0.45,strokes:count=1..2:fill=0.45",
    objective=Objective(
        "adversarial",
        {
            "discriminator": "context_encoder_discriminator",
            "fields": {"image_size": 128},
            "game": "vanilla",
            "weight": 0.001,
            "content": 3.996,
        },
    ),
    loss="mse",
    steps=117_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="constant", betas=(0.5, 0.999), ema=None),
    validation=Validation(crop=128, images=100, every=5000),
    run="runs/context_encoder_random",
)
