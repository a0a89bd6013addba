"""From nothing to a compiled network: seconds for initial weights and for compiling the forward pass, at full size.

python -m benchmarks.startup [NAME...]
"""

import argparse
import time
from typing import Any

import jax

from benchmarks.harness import machine, rows_before, write
from jaxrestore.models.catalogue import create_model, model_card
from jaxrestore.models.inputs import SIDE_INPUTS, example_inputs, side_inputs
from jaxrestore.nn.initialise import initialise

NAMES = (
    "edsr_x4",
    "rcan_x4",
    "san_x4",
    "han_x4",
    "swinir_classical_x4",
    "rdn_x4",
    "esrgan_x4",
    "diffir_x4",
    "drunet_color",
    "restormer_denoise",
    "nafnet_gopro_width64",
    "cvt_13",
    "cyclegan_resnet9",
)
SIDE = 64


def measure(name: str) -> list[Any]:
    model = create_model(name)
    inputs = example_inputs(model, SIDE)
    maps = {side: jax.ShapeDtypeStruct((*inputs[0].shape[:-1], 1), SIDE_INPUTS[side]) for side in side_inputs(model)}
    start, processor = time.perf_counter(), time.process_time()
    variables = jax.block_until_ready(initialise(model, jax.random.key(0), *inputs))
    middle = time.perf_counter()
    jax.jit(model.apply).lower(variables, *inputs, **maps).compile()
    end = time.perf_counter()
    return [name, model_card(name).parameters, middle - start, end - middle, end - start, time.process_time() - processor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    columns = ("network", "parameters", "initial weights", "compile", "together", "processor time")
    rows = rows_before("startup_cpu", columns)
    for name in parser.parse_args().names:
        rows[name] = measure(name)
        print(*rows[name], flush=True)
    notes = (
        f"Seconds for {SIDE}x{SIDE} pixels, each network once, nothing cached. Wanted: less than 20 s together on two free cores. "
        "Processor time is that of all threads; where it is much less than the time together, the machine had other work."
    )
    ordered = [rows[name] for name in (*NAMES, *sorted(set(rows) - set(NAMES))) if name in rows]
    write("startup_cpu", "From nothing to a compiled forward pass", notes, columns, ordered, machine())


if __name__ == "__main__":
    main()
