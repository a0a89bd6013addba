r"""A convolutional denoising autoencoder, for Gaussian noise of sigma 50.

Data: colour photographs (data.path=...), crops of 64x64, batches of 64; the squared error, Adam from 1e-3. No paper gives this network: the
literature's autoencoders are dense, on patches. Other corruptions: degradation=missing:rate=0.25 (masking), salt_and_pepper:rate=0.1.
Expected: blurred images, since everything passes through a code of a sixty-fourth of the places; better than the noisy input only where the
noise is strong.
Cost: 50,000 steps; not measured.

    jaxrestore train experiments/denoising/denoising_autoencoder.py data.path=photographs validation.path=Set5
    jaxrestore train experiments/denoising/denoising_autoencoder.py steps=800 data.path=BSDS400 data.batch=8 data.patch=64 \
      data.workers=0 optimizer.rate=2e-3 optimizer.ema=none 'model.fields.features=(24,48)' \
      validation.path=Set5 validation.crop=128 validation.images=4 validation.every=400 run=runs/denoising_autoencoder_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("denoising_autoencoder"),
    data=Data("photographs", patch=64, batch=64, workers=4),
    degradation="gaussian:sigma=50",
    loss="mse",
    steps=50_000,
    optimizer=Optimizer(name="adam", rate=1e-3, schedule="cosine", final_rate=1e-6, ema=None),
    validation=Validation(crop=256, images=16, every=5000),
    run="runs/denoising_autoencoder",
)
