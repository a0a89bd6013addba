"""What does a round trip through JPEG cost, against writing and reading the file with Pillow?

    python -m benchmarks.jpeg [THREADS]

Both are given the picture as they need it (8 bits, or single precision on the device) and give it back likewise. Pillow uses one thread.
"""

import io
import sys
from functools import partial
from importlib import resources

from benchmarks.harness import machine, ratio, take_turns, use_threads, write

SIDE, QUALITY, BATCH, PATCHES, PATCH = 512, 40, 8, 16, 192


def main() -> None:
    """Measure and write the table."""
    use_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    import jax
    import jax.numpy as jnp
    import numpy as np
    from PIL import Image

    from jaxrestore.degradations.jpeg import jpeg

    path = resources.files("jaxrestore.cli") / "assets" / "coffee.jpg"
    photograph = Image.open(io.BytesIO(path.read_bytes())).convert("RGB").resize((SIDE, SIDE))
    rows = []
    for name, side, count in (("one picture", SIDE, 1), ("a batch", SIDE, BATCH), ("patches of a training batch", PATCH, PATCHES)):
        picture = np.asarray(photograph.crop((0, 0, side, side)))
        images = jnp.asarray(np.stack([picture] * count), jnp.float32) / 255.0
        images = images[0] if count == 1 else images

        def by_pillow(picture: np.ndarray = picture, count: int = count) -> None:
            for _ in range(count):
                file = io.BytesIO()
                Image.fromarray(picture).save(file, "JPEG", quality=QUALITY)
                np.asarray(Image.open(file))

        ours = jax.jit(partial(jpeg, jax.random.key(0), quality=float(QUALITY)))
        ways = {"pillow": by_pillow, "ours": lambda images=images, ours=ours: jax.block_until_ready(ours(images))}
        seconds = take_turns(ways, rounds=15, warm_up=2)
        rows.append([f"{name}, {count} of {side}x{side}x3", 1e3 * float(np.median(seconds["pillow"])) / count, ratio(**_pair(seconds))])
    notes = f"Quality {QUALITY}, 4:2:0; the results are equal to the bit. The last column is our time / Pillow's."
    write("jpeg", "JPEG without the file", notes, ["what", "Pillow, ms an image", "ours / Pillow"], rows, machine())


def _pair(seconds: dict[str, list[float]]) -> dict[str, list[float]]:
    return {"seconds": seconds["ours"], "reference": seconds["pillow"]}


if __name__ == "__main__":
    main()
