"""`jaxrestore models [NAME]`: the catalogue, or the card of one model."""

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    import flax.linen as nn

    from jaxrestore.models.card import ModelCard

# Side of the square image for which operations are counted.
_SIDE = 256


@dataclass(frozen=True)
class Models:
    """List the networks of the catalogue, or describe one.

    Parameters are counted on the network itself. Published scores are named with the convention they were measured by.
    """

    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = None
    """A network; its card also has operations and receptive field."""
    task: Annotated[str | None, arg(metavar="TASK")] = None
    """List only the networks for this task."""
    json: bool = False
    """Print JSON instead of a table."""

    def run(self) -> None:
        """List or describe."""
        from jaxrestore.models.catalogue import list_models, model_card

        if self.name is not None:
            described = {**describe(model_card(self.name)), **measure(model_card(self.name))}
            _print_json(described) if self.json else _print_card(described)
            return
        rows = [describe(model_card(name)) for name in list_models(self.task)]
        _print_json(rows) if self.json else _print_table(rows)


def describe(card: "ModelCard") -> dict[str, Any]:
    """A card with the computed number of parameters, ready for JSON."""
    from jaxrestore.weights import list_pretrained

    return {
        "name": card.name,
        "task": card.task,
        "parameters": _count(card.create()),
        "published_parameters": card.parameters,
        "channels": card.channels,
        "scale": card.scale,
        "multiple": card.multiple,
        "blind": card.blind,
        "network": card.module.__name__,
        "fields": {key: value if isinstance(value, int | float | str | bool | None) else str(value) for key, value in card.fields.items()},
        "forms": {name: {"parameters": _count(card.create(form=name)), "reference": form.reference} for name, form in card.forms.items()},
        "published": dict(card.published),
        "convention": card.convention,
        "pretrained": [tag for tag in list_pretrained() if tag.split(".")[0] == card.name],
        "paper": card.paper,
        "reference": card.reference,
        "notes": card.notes,
    }


def measure(card: "ModelCard") -> dict[str, Any]:
    """What takes longer: floating-point operations for a square image, and the receptive field of the network with random weights."""
    import jax
    import numpy as np

    from jaxrestore.inference.receptive_field import receptive_field
    from jaxrestore.nn.initialise import initialise

    model = card.create()
    image = jax.ShapeDtypeStruct((1, _SIDE, _SIDE, card.channels), np.float32)
    variables = initialise(model, jax.random.key(0), image)
    operations = jax.jit(model.apply).lower(variables, image).cost_analysis()["flops"]
    field = receptive_field(model, variables, card.channels)
    return {
        "flops": {"height": _SIDE, "width": _SIDE, "operations": int(operations)},
        "receptive_field": {"radius": field.radius, "multiple": field.multiple, "description": str(field)},
    }


def _count(model: "nn.Module") -> int:
    import jax

    from jaxrestore.weights.reference import variable_shapes

    return sum(leaf.size for leaf in jax.tree.leaves(variable_shapes(model)["params"]))


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _console() -> Any:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, highlight=False)


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table()
    for title in ("model", "task", "parameters", "image", "scale", "published", "forms", "shipped weights"):
        table.add_column(title, justify="right" if title in ("parameters", "scale") else "left")
    for row in rows:
        table.add_row(
            row["name"],
            row["task"].replace("_", " "),
            f"{row['parameters']:,}",
            {1: "grey", 3: "RGB"}.get(row["channels"], str(row["channels"])),
            f"x{row['scale']}",
            _scores(row),
            ", ".join(row["forms"]),
            ", ".join(row["pretrained"]),
        )
    _console().print(table)


def _scores(row: dict[str, Any]) -> str:
    scores = "; ".join(f"{name}: {value}" for name, value in row["published"].items())
    return f"{scores} ({row['convention']})" if row["convention"] and scores else scores


def _print_card(card: dict[str, Any]) -> None:
    from rich.table import Table

    flops = card["flops"]
    lines = {
        "network": f"{card['network']}({', '.join(f'{key}={value!r}' for key, value in card['fields'].items())})",
        "task": card["task"].replace("_", " ") + (", blind (needs no noise level)" if card["blind"] else ""),
        "parameters": f"{card['parameters']:,} (published {card['published_parameters']:,})",
        "operations": f"{flops['operations'] / 1e9:.2f} GFLOP for {flops['width']}x{flops['height']} pixels",
        "receptive field": card["receptive_field"]["description"],
        "image": f"{card['channels']} channels, scale {card['scale']}",
        "published": _scores(card),
        "forms": "; ".join(f"{name}: {form['parameters']:,} parameters, {form['reference']}" for name, form in card["forms"].items()),
        "shipped weights": ", ".join(card["pretrained"]) or "none",
        "paper": card["paper"],
        "reference": card["reference"],
        "notes": card["notes"],
    }
    table = Table(title=card["name"], title_justify="left", show_header=False, box=None)
    for title, text in lines.items():
        if text:
            table.add_row(title, text)
    _console().print(table)
