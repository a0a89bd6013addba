r"""CvT's encoder with a decoder to images, trained on pictures with noise and pieces missing.

Data: photographs of at least 128x128 (data.path=...). CvT is published as a classifier; the restoration form, its degradation and its
schedule are this project's own. AdamW's decay is the classifier's, 0.05. Weights of the classifier may serve as a start (transfer.source=).
Expected: the restored pictures are closer to the clean ones than the degraded ones are; there is no published score.
Cost: 100,000 steps; not measured.

    jaxrestore train experiments/restoration/cvt_restorer.py data.path=DIV2K validation.path=Set5
    jaxrestore train experiments/restoration/cvt_restorer.py steps=400 data.path=BSDS400 data.patch=64 data.batch=4 data.workers=0 \
      degradation=gaussian:sigma=25 validation.recipe=gaussian:sigma=25 optimizer.rate=1e-3 optimizer.ema=none optimizer.warmup=20 \
      'model.fields.features=(24,48,96)' 'model.fields.depths=(1,1,2)' 'model.fields.decoder_depths=(1,1)' validation.path=Set5 \
      validation.crop=96 validation.every=200 run=runs/cvt_restorer_reduced
"""

from jaxrestore.training.config import Data, Experiment, Model, Optimizer, Validation

config = Experiment(
    model=Model("cvt_restorer"),
    data=Data("DIV2K", patch=128, batch=32, workers=8),
    degradation="gaussian:sigma=0..50,erase:count=1..3:size=0.05..0.15,clip",
    loss="charbonnier",
    steps=100_000,
    optimizer=Optimizer(name="adamw", rate=2.5e-4, schedule="cosine", final_rate=1e-6, warmup=500, weight_decay=0.05, clip=1.0, ema=0.999),
    validation=Validation(recipe="gaussian:sigma=25", crop=128, images=16, every=2000),
    run="runs/cvt_restorer",
)
