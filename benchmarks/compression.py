r"""What networks lose and gain by arithmetic in eight bits and by pruning.

Run as `python -m benchmarks.compression IMAGES WEIGHTS`: IMAGES holds the folders Set12, Set5, T91 and BSDS400; WEIGHTS holds, for each of
dncnn, edsr and nafnet, NAME.safetensors (the network), NAME_longer.safetensors (after as many further steps of training as the pruned one
has had), NAME_cut.safetensors (pruned by `jaxrestore convert --prune 0.5`) and NAME_trained.safetensors (the same after further
training); also NAME_quarter_cut and NAME_quarter_trained, with --prune 0.25. What is not there is left out.

The weights were made so, beside the folders of images; `noisy` and `small` hold every 25th picture of BSDS400 and every 6th of T91,
degraded by `jaxrestore degrade ... --seed 1` with the recipes gaussian:sigma=25,quantise and downsample:scale=4,quantise:

    dncnn    jaxrestore convert dncnn_25.pth -o dncnn.safetensors                                             (the authors' weights)
    edsr     jaxrestore train experiments/super_resolution/edsr_baseline.py steps=600 optimizer.rate=5e-4 optimizer.final_rate=1e-5 E
    nafnet   jaxrestore train experiments/denoising/nafnet.py steps=800 N
    _cut     jaxrestore convert NAME.safetensors -o NAME_cut.safetensors --prune 0.5 --images noisy           (for edsr: --images small)
    _trained jaxrestore train experiments/denoising/dncnn_gray.py steps=500 data.path=Train400 data.batch=16 data.workers=0 \
               optimizer.rate=3e-4 optimizer.schedule=cosine optimizer.final_rate=1e-6 optimizer.ema=none model.fields.features=32 \
               model.fields.norm=False transfer.source=dncnn_cut.safetensors  (a quarter: features=48, rate=2e-4)
             jaxrestore train experiments/super_resolution/edsr_baseline.py steps=200 optimizer.rate=2e-4 optimizer.final_rate=1e-6 E \
               seed=1 data.seed=1 model.fields.block_features=32 transfer.source=edsr_cut.safetensors
             jaxrestore train experiments/denoising/nafnet.py steps=400 optimizer.rate=5e-4 N seed=1 data.seed=1 \
               model.fields.expansion=1.0 transfer.source=nafnet_cut.safetensors
    _longer  as _trained, without the pruned field, from NAME.safetensors
    E        data.path=T91 data.batch=8 data.patch=96 data.workers=0 optimizer.schedule=cosine optimizer.ema=none
    N        degradation=gaussian:sigma=25 data.source=folder data.path=BSDS400 data.target=none data.patch=64 data.batch=4 \
               data.workers=0 optimizer.ema=none optimizer.clip=none model.fields.features=16 'model.fields.encoder=(1,1,2)' \
               model.fields.middle=2 'model.fields.decoder=(1,1,1)'
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import harness

COLUMNS = (
    "network",
    "parameters, thousands",
    "PSNR, dB",
    "lost, dB",
    "time / 32 bits",
    "ONNX: PSNR, dB",
    "lost in ONNX, dB",
    "time in ONNX / 32 bits",
)
FORMS = {
    "": "as it is",
    "_longer": "trained on",
    "_cut": "pruned",
    "_trained": "pruned, trained on",
    "_quarter_cut": "a quarter pruned",
    "_quarter_trained": "a quarter pruned, trained on",
}
SIDE = 256
NOTES = """DnCNN: the authors' own weights (sigma 25); EDSR-baseline x4 (full width) and a small NAFNet were trained for this table
by the reduced recipes of their experiments, some hundred steps on a CPU, and are far from what they can reach: what
counts is what each form loses against the same network. Pruned: half of the inner channels removed (a quarter where it
says so); trained on: by a few further steps (DnCNN 500 of 16 patches of 40x40, EDSR 200 after 600 of 8 of 96x96, NAFNet
400 after 800 of 4 of 64x64), which the whole network is given too where its own training was that short: there, compare
with its row "trained on". int8: convolutions of whole numbers, calibrated on 16 crops of 128x128 of other images. PSNR
by the convention that the first row of each network names, on the centres (256x256) of the images that it names. Time:
processor time of one core, medians of interleaved rounds, beside the network as it is in 32 bits, in units of the same
runtime (XLA, or onnxruntime for the columns named ONNX); a row of each network gives onnxruntime itself in units of
XLA. XLA computes the same whole numbers in 32-bit floating point on a CPU, because its convolutions of whole numbers
are hardly faster there:"""


class Subject(NamedTuple):
    """A network of the table.

    Attributes:
      name: of the files of its weights.
      title: what the table says.
      side: of the image that is timed.
      degrade: a clean image and a generator -> the network's input.
      images: folder of the images that are measured.
      calibration: folder of others.
      convention: of the PSNR.
    """

    name: str
    title: str
    side: int
    degrade: Callable
    images: str
    calibration: str
    convention: str


def noisy(clean, random):
    import numpy as np

    return (clean + random.normal(0, 25 / 255, clean.shape)).astype(np.float32)


def small(clean, random):
    import numpy as np

    from jaxrestore.ops.resize import imresize

    return np.round(255 * np.clip(np.asarray(imresize(clean, 1 / 4)), 0, 1)).astype(np.float32) / 255


SUBJECTS = (
    Subject("dncnn", "DnCNN, sigma 25 (Set12, gray)", 128, noisy, "Set12", "BSDS400", "gray"),
    Subject("edsr", "EDSR-baseline x4 (Set5, luma+border4+round8)", 96, small, "Set5", "T91", "luma+border4+round8"),
    Subject("nafnet", "NAFNet, width 16, sigma 25 (Set5, rgb)", 128, noisy, "Set5", "BSDS400", "rgb"),
)


def pairs(subject: Subject, images: Path, channels: int) -> list[tuple[Any, Any]]:
    """Clean images and the network's inputs."""
    import numpy as np

    from jaxrestore.data.images import find_images, read_image, to_float
    from jaxrestore.data.sources import convert

    random, found = np.random.default_rng(0), []
    for path in find_images(images / subject.images):
        clean = to_float(convert(read_image(path).color, channels, 8))
        top, left = (max(side - SIDE, 0) // 2 for side in clean.shape[:2])
        clean = clean[top : top + SIDE, left : left + SIDE]
        clean = clean[: clean.shape[0] // 4 * 4, : clean.shape[1] // 4 * 4]
        found.append((clean, subject.degrade(clean, random)))
    return found


def ways(source: Any, calibration: Any, folder: Path) -> Iterator[tuple[str, Callable]]:
    """The network in 32 and 8 bits, in XLA and in onnxruntime: functions of (1, H, W, C)."""
    import numpy as np
    import onnxruntime

    import jaxrestore

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for bits, int8 in (("32", None), ("8", calibration)):
        for suffix in ("jaxexport", "onnx"):
            file = folder / f"{bits}.{suffix}"
            jaxrestore.export_network(source, file, int8=int8)
            if suffix == "onnx":
                session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
                yield f"onnx {bits}", lambda image, session=session: session.run(None, {"image": image})[0]
            else:
                loaded = jaxrestore.load_exported(file)
                yield f"xla {bits}", lambda image, loaded=loaded: np.asarray(loaded(image))


def measure(subject: Subject, images: Path, weights: Path) -> list[list[Any]]:
    """The rows of one network."""
    import jax
    import numpy as np

    import jaxrestore
    from jaxrestore.data.samples import samples

    random, scores, functions, sizes = np.random.default_rng(1), {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMS:
            file = weights / f"{subject.name}{form}.safetensors"
            if not file.exists():
                continue
            source = jaxrestore.load_weights(file)
            sizes[form] = sum(leaf.size for leaf in jax.tree.leaves(source.variables["params"])) / 1000
            channels = source.model.channels
            measured = pairs(subject, images, channels)
            crops = samples(images / subject.calibration, channels, side=256 if subject.degrade is small else 128)
            crops = crops[:, : crops.shape[1] // 4 * 4, : crops.shape[2] // 4 * 4]
            calibration = np.stack([subject.degrade(crop, random) for crop in crops])
            for way, run in ways(source, calibration, Path(folder)):
                restored = [np.clip(run(degraded[None])[0], 0, 1) for _, degraded in measured]
                each = [jaxrestore.psnr(x, clean, convention=subject.convention) for (clean, _), x in zip(measured, restored, strict=True)]
                scores[form, way] = float(np.mean(each))
                image = measured[0][1][None, : subject.side, : subject.side]
                functions[form, way] = partial(run, image)
                print(subject.name, FORMS[form], way, scores[form, way], flush=True)
        functions = {key: run for key, run in functions.items() if key[0] != "_longer"}
        turns = harness.take_turns(functions, rounds=5, clock=time.process_time)
    rows = []
    for form in sizes:
        for bits in ("32", "8"):
            title = subject.name if rows else subject.title
            row: list[Any] = [f"{title}: {FORMS[form]}, {'int8' if bits == '8' else '32 bits'}", f"{sizes[form]:.0f}"]
            for runtime in ("xla", "onnx"):
                score, basis = scores[form, f"{runtime} {bits}"], scores["", f"{runtime} 32"]
                times = turns.get((form, f"{runtime} {bits}"))
                row += [f"{score:.3f}", f"{basis - score:.3f}", harness.ratio(times, turns["", f"{runtime} 32"]) if times else ""]
            rows.append(row)
    between = harness.ratio(turns["", "onnx 32"], turns["", "xla 32"])
    return [*rows, [f"{subject.name}: onnxruntime / XLA, as it is, 32 bits", "", "", "", "", "", "", between]]


def whole_numbers(side: int) -> str:
    """XLA's own convolution of whole numbers in units of that of 32-bit numbers, in words."""
    import jax
    import numpy as np

    from jaxrestore.export.int8_convolution import float_sums, integer_sums

    random = np.random.default_rng(0)
    image = jax.device_put(random.integers(-128, 128, (1, side, side, 64)).astype(np.float32))
    kernel = jax.device_put(random.integers(-127, 128, (3, 3, 64, 64), np.int8))
    window = dict(zero=0, strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1))
    runs = {form.__name__: jax.jit(partial(form, **window)) for form in (integer_sums, float_sums)}
    ways = {name: lambda run=run: run(image, kernel).block_until_ready() for name, run in runs.items()}
    turns = harness.take_turns(ways, clock=time.process_time)
    return f"{harness.ratio(turns['integer_sums'], turns['float_sums'])} of the time at {side}x{side}"


def main():
    harness.use_threads(1)
    images, weights, *names = sys.argv[1:]
    rows = harness.rows_before("compression", COLUMNS)
    whole = f"{', '.join(whole_numbers(side) for side in (32, 64, 128))} (3x3, 64 to 64 channels)."
    for subject in SUBJECTS:
        if not names or subject.name in names:
            rows |= {row[0]: row for row in measure(subject, Path(images), Path(weights))}
            title = "Networks in eight bits, and without half of their inner channels"
            notes = f"{NOTES} {whole}".replace("\n", " ")
            harness.write("compression", title, notes, COLUMNS, list(rows.values()), harness.machine())


if __name__ == "__main__":
    main()
