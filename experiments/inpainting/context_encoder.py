r"""Context encoder: the middle of a 128x128 picture from what is around it, as published for Paris StreetView.

Data: the 14,900 training pictures of Paris StreetView, scaled to 350 pixels and cropped to 128x128, batches of 64; Adam at 2e-4 with betas
0.5 and 0.999. The squared error of the middle weighs 0.999 and the game 0.001; errors are those of images in [-1, 1], and here of the whole
image, three quarters of which are right by construction: hence 16 times 0.999. The published code also weighs a band of 4 pixels around
the hole
tenfold, which is left out here.
Expected: 18.58 dB on the 100 test pictures, measured on the middle (the paper), within 0.5 dB; 6.0 dB more on the whole picture.
Cost: 500 epochs, 117,000 steps; not measured.

    jaxrestore train experiments/inpainting/context_encoder.py data.path=paris_train validation.path=paris_test
    jaxrestore train experiments/inpainting/context_encoder.py steps=300 data.path=T91 data.batch=8 data.patch=64 data.workers=0 \
      model.fields.features=12 model.fields.bottleneck=200 model.fields.image_size=64 optimizer.rate=1e-3 \
      objective.arguments.discriminator_rate=2e-4 objective.arguments.fields.features=8 objective.arguments.fields.image_size=32 \
      validation.path=Set5 validation.crop=64 validation.every=150 run=runs/context_encoder_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation

config = Experiment(
    model=Model("context_encoder", {}),
    data=Data("paris_train", patch=128, batch=64, workers=8),
    degradation="clip",  # nothing: the network erases
    objective=Objective(
        "adversarial",
        {
            "discriminator": "context_encoder_discriminator",
            "fields": {"middle": True},
            "game": "vanilla",
            "weight": 0.001,
            "content": 15.984,
        },
    ),
    loss="mse",
    steps=117_000,
    optimizer=Optimizer(name="adam", rate=2e-4, schedule="constant", betas=(0.5, 0.999), ema=None),
    validation=Validation(crop=128, images=100, every=5000),
    run="runs/context_encoder",
)
