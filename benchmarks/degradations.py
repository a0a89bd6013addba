"""What does each degradation cost of a train step?

    python -m benchmarks.degradations [THREADS]

A training batch of high-resolution patches is degraded by each step of the recipes; the train step beside it is that of EDSR-baseline x4
(forward, backward, Adam) on the low-resolution patches of as many images.
"""

import sys

from benchmarks.harness import machine, ratio, take_turns, use_threads, write

BATCH, SCALE, PATCH = 16, 4, 48

# Arguments that have no default, and harder ones where the default is easy.
ARGUMENTS = {
    "gaussian": {"sigma": 25.0},
    "poisson": {"peak": 30.0},
    "poisson_gaussian": {"peak": 30.0, "sigma": 5.0},
    "speckle": {"sigma": 25.0},
    "salt_and_pepper": {"rate": 0.1},
    "gaussian_blur": {"sigma": 2.0},
    "anisotropic_blur": {"sigma_long": 3.0, "sigma_short": 1.0},
    "generalised_gaussian_blur": {"sigma_long": 3.0, "sigma_short": 1.0, "shape": 0.7},
    "plateau_blur": {"sigma_long": 3.0, "sigma_short": 1.0, "shape": 1.5},
    "sinc_blur": {"cutoff": 2.0},
    "box_blur": {"width": 5.0},
    "defocus": {"radius": 4.0},
    "motion_blur": {"length": 15.0, "angle": 30.0},
    "exposure": {"stops": -1.0},
    "contrast": {"factor": 0.5},
    "vignetting": {"strength": 0.5},
    "pixel_shift": {"down": 0.5, "right": 1.5},
    "jpeg": {"quality": 40.0},
    "missing": {"rate": 0.5},
    "grain": {"sigma": 20.0},
}


def main() -> None:
    """Measure and write the table."""
    use_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    from jaxrestore.degradations.batches import batched, image_keys
    from jaxrestore.degradations.recipes import STEPS, step
    from jaxrestore.models.catalogue import create_model

    images = jnp.asarray(np.random.default_rng(0).random((BATCH, SCALE * PATCH, SCALE * PATCH, 3)), jnp.float32)
    small = images[:, ::SCALE, ::SCALE]
    keys = image_keys(jax.random.key(0), jnp.arange(BATCH))
    model, optimiser = create_model("edsr_baseline_x4"), optax.adam(1e-4)
    variables = jax.jit(model.init)(jax.random.key(0), small[:1])
    state = optimiser.init(variables)

    @jax.jit
    def train(variables, state):
        gradients = jax.grad(lambda v: jnp.mean(jnp.abs(model.apply(v, small) - images)))(variables)
        updates, state = optimiser.update(gradients, state)
        return optax.apply_updates(variables, updates), state

    ways = {"train": lambda: jax.block_until_ready(train(variables, state))}
    for name in STEPS:
        made = jax.jit(batched(step(name, **ARGUMENTS.get(name, {}))))
        ways[name] = lambda made=made: jax.block_until_ready(made(keys, images))
    seconds = take_turns(ways, rounds=3)
    shares = {name: ratio(taken, seconds["train"]) for name, taken in seconds.items() if name != "train"}
    rows = [[name, 100 * share.median, 100 * share.most] for name, share in sorted(shares.items(), key=lambda item: -item[1].median)]
    notes = (
        f"{BATCH} patches of {SCALE * PATCH}x{SCALE * PATCH}x3, one key each; the step of EDSR-baseline x4 on {BATCH}x{PATCH}x{PATCH}x3 "
        "is 100. Median and most of three rounds."
    )
    write("degradations", "Degradations as a share of a train step", notes, ["step", "% of a train step", "at most"], rows, machine())


if __name__ == "__main__":
    main()
