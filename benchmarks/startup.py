"""From nothing to a compiled network: seconds for initial weights and for compiling the forward pass, at full size.

python -m benchmarks.startup [NAME...]
"""

import argparse
import time

import jax
import numpy as np

from benchmarks.harness import machine, write
from jaxrestore.models.catalogue import create_model, model_card
from jaxrestore.nn.initialise import initialise

NAMES = ("edsr_x4", "rcan_x4", "san_x4", "han_x4", "swinir_classical_x4", "rdn_x4", "esrgan_x4", "diffir_x4")
SIDE = 64


def measure(name: str) -> tuple[float, float]:
    model = create_model(name)
    image = jax.ShapeDtypeStruct((1, SIDE, SIDE, model_card(name).channels), np.float32)
    start = time.perf_counter()
    variables = jax.block_until_ready(initialise(model, jax.random.key(0), image))
    middle = time.perf_counter()
    jax.jit(model.apply).lower(variables, image).compile()
    return middle - start, time.perf_counter() - middle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    rows = []
    for name in parser.parse_args().names:
        first, second = measure(name)
        rows.append((name, model_card(name).parameters, first, second, first + second))
    notes = f"Seconds for {SIDE}x{SIDE} pixels, each network once, nothing cached. Wanted: less than 20 s together on two cores."
    columns = ("network", "parameters", "initial weights", "compile", "together")
    write("startup_cpu", "From nothing to a compiled forward pass", notes, columns, rows, machine())


if __name__ == "__main__":
    main()
