"""How far the pixels of every network see, and what its tiles can give: a table of the whole catalogue.

    python -m benchmarks.receptive_fields [NAME...]

With names, only these are computed anew. Nothing is restored: the fields follow from the traced networks.
"""

import sys
import time

from benchmarks.harness import machine, rows_before, write

NAME = "receptive_fields"
COLUMNS = ("network", "tiles", "radius", "multiple", "statistics in turn", "what looks at the whole image", "seconds")


def row(name: str) -> list | None:
    """One network's row, or None for one that takes no image, gives none or needs a mask."""
    import jax
    import jax.numpy as jnp

    from jaxrestore.inference.network import Network
    from jaxrestore.models.catalogue import model_card
    from jaxrestore.models.inputs import side_inputs, takes_an_image
    from jaxrestore.weights.reference import variable_shapes

    card = model_card(name)
    model = card.create()
    if not takes_an_image(model) or "mask" in side_inputs(model) or card.task in ("discrimination", "classification", "generation"):
        return None
    shapes = variable_shapes(model)
    network = Network(name, model, jax.tree.map(lambda leaf: jnp.zeros((), leaf.dtype), shapes))
    if network.needs:
        network = network._at(25)  # the noise level goes in beside the image
        shapes = {collection: {"network": tree} for collection, tree in shapes.items()}
    network.variables = shapes  # only they count
    start = time.process_time()
    field = network.receptive_field
    seconds = round(time.process_time() - start, 1)
    return [name, field.tiles, field.with_statistics().radius, field.multiple, field.statistics, field.reason, seconds]


def main() -> None:
    """Compute and write the table."""
    from jaxrestore.models.catalogue import list_models

    names, rows = sys.argv[1:] or list_models(), rows_before(NAME, COLUMNS)
    for name in names:
        found = row(name)
        if found is not None:
            rows[name] = found
            print(*found, flush=True)
    kinds = [r[1] for r in rows.values()]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("exact", "exact by streaming", "blended only"))
    notes = (
        f"Of {len(rows)} networks that take an image and give one, the tiles are: {counts}. The radius is in pixels of the image on each "
        "side of a block of `multiple` pixels, once the statistics are known; processor time of finding it."
    )
    order = [rows[name] for name in list_models() if name in rows]
    write(NAME, "Receptive fields of the catalogue", notes, COLUMNS, order, machine())


if __name__ == "__main__":
    main()
