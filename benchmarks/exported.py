"""Exported networks beside the network itself, compiled by JAX: time, size of the file, and how far the results lie apart.

Run as `python -m benchmarks.exported [card ...]`. Processor time of one core, so that a busy machine changes little.
"""

import sys
import tempfile
import time
from pathlib import Path

from benchmarks import harness

CARDS = {"dncnn_color_blind": 128, "edsr_baseline_x2": 128, "drunet_color_blind_light": 256, "nafnet_sidd_width32": 128, "unet": 128}
COLUMNS = (
    "network",
    "image",
    "StableHLO / direct",
    "ONNX / direct",
    "StableHLO differs",
    "ONNX differs",
    "MiB (.jaxexport, .onnx)",
    "seconds to export",
)


def main():
    harness.use_threads(1)
    import jax
    import numpy as np
    import onnxruntime

    import jaxrestore
    from jaxrestore.nn.initialise import initialise

    found = harness.rows_before("exported_cpu_1", COLUMNS)
    for name in sys.argv[1:] or CARDS:
        side = CARDS[name]
        model = jaxrestore.create_model(name)
        image = np.random.default_rng(0).random((1, side, side, model.channels), np.float32)
        variables = initialise(model, jax.random.key(0), image)
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"network.{suffix}" for suffix in ("jaxexport", "onnx")]
            seconds = []
            for file in files:
                start = time.process_time()
                jaxrestore.export_network(model, file, variables)
                seconds.append(time.process_time() - start)
            sizes = [file.stat().st_size / 2**20 for file in files]
            exported = jaxrestore.load_exported(files[0])
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            runtime = onnxruntime.InferenceSession(files[1], options, providers=["CPUExecutionProvider"])
        direct, placed, pixels = jax.jit(model.apply), jax.device_put(variables), jax.device_put(image)
        ways = {
            "direct": lambda direct=direct, placed=placed, pixels=pixels: direct(placed, pixels).block_until_ready(),
            "stablehlo": lambda exported=exported, pixels=pixels: exported(pixels).block_until_ready(),
            "onnx": lambda runtime=runtime, image=image: runtime.run(None, {"image": image})[0],
        }
        results = {way: np.asarray(call()) for way, call in ways.items()}
        differs = [float(np.abs(results[way] - results["direct"]).max()) for way in ("stablehlo", "onnx")]
        turns = harness.take_turns(ways, rounds=5, clock=time.process_time)
        ratios = [harness.ratio(turns[way], turns["direct"]) for way in ("stablehlo", "onnx")]
        found[name] = [
            name,
            f"{side}x{side}",
            *ratios,
            *differs,
            ", ".join(f"{size:.1f}" for size in sizes),
            ", ".join(f"{s:.1f}" for s in seconds),
        ]
        harness.write(
            "exported_cpu_1",
            "Exported networks beside the networks themselves, one CPU core",
            "Processor time in units of the compiled network's own, median of 5 interleaved rounds [least-most]: below 1 is faster."
            " The files are for images of any size; differences are the largest of any pixel, in an image of range 1 (initial weights).",
            COLUMNS,
            [found[card] for card in CARDS if card in found],
            harness.machine() | {"onnxruntime": onnxruntime.__version__},
        )


if __name__ == "__main__":
    main()
