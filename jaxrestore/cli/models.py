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
# A noise level in grey levels; what a pixel depends on does not depend on it.
_SIGMA = 25


@dataclass(frozen=True)
class Models:
    """List the networks of the catalogue and the classical methods, or describe one.

    In JSON and of one model, parameters are counted on the network itself. Published scores are named with the convention they were
    measured by.
    """

    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = None
    """A network, whose card also has operations and receptive field, or a classical method."""
    task: Annotated[str | None, arg(metavar="TASK")] = None
    """List only what is for this task."""
    classical: bool = False
    """List only the classical methods."""
    json: bool = False
    """Print JSON instead of tables: the networks, or with --classical the classical methods."""

    def run(self) -> None:
        """List or describe."""
        from jaxrestore.classical.catalogue import METHODS
        from jaxrestore.models.catalogue import list_models, model_card

        if self.name in METHODS:
            method = describe_method(self.name)
            _print_json(method) if self.json else _print_method(method)
            return
        if self.name is not None:
            described = {**describe(model_card(self.name)), **measure(model_card(self.name))}
            _print_json(described) if self.json else _print_card(described)
            return
        rows = [] if self.classical else [describe(model_card(name), counted=self.json) for name in list_models(self.task)]
        methods = [describe_method(name) for name, method in METHODS.items() if self.task in (None, method.task)]
        if self.json:
            _print_json(methods if self.classical else rows)
            return
        if rows:
            _print_table(rows)
        if methods:
            _print_methods(methods)


def describe(card: "ModelCard", counted: bool = True) -> dict[str, Any]:
    """A card, ready for JSON; `counted` asks the network itself how many parameters it has, which takes up to two seconds."""
    from jaxrestore.weights import list_pretrained

    return {
        "name": card.name,
        "task": card.task,
        "parameters": _count(card.create()) if counted else card.parameters,
        "published_parameters": card.parameters,
        "channels": card.channels,
        "scale": card.scale,
        "scales": list(card.scales),
        "interpolated": card.interpolated,
        "multiple": card.multiple,
        "blind": card.blind,
        "network": card.module.__name__,
        "fields": {key: value if isinstance(value, int | float | str | bool | None) else str(value) for key, value in card.fields.items()},
        "forms": {
            name: {"parameters": _count(card.create(form=name)) if counted else form.parameters, "reference": form.reference}
            for name, form in card.forms.items()
        },
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

    from jaxrestore.inference.network import Network
    from jaxrestore.models.inputs import SIDE_INPUTS, example_inputs, side_inputs, takes_an_image
    from jaxrestore.nn.initialise import initialise

    model = card.create()
    inputs = example_inputs(model, _SIDE)
    maps = {name: jax.ShapeDtypeStruct((*inputs[0].shape[:-1], 1), SIDE_INPUTS[name]) for name in side_inputs(model)}
    variables = initialise(model, jax.random.key(0), *inputs)
    traced = jax.jit(model.apply).trace(variables, *inputs, **maps)
    operations = traced.lower(lowering_platforms=("cuda",)).cost_analysis()["flops"]  # on the CPU convolutions take short cuts
    counted = {"flops": {"shape": list(inputs[0].shape[1:]), "operations": int(operations)}}
    if not takes_an_image(model) or "mask" in maps or card.task in ("discrimination", "classification", "generation"):
        return counted
    field = Network(card.name, model, variables, sigma=_SIGMA if "noise_level" in maps else None).receptive_field
    return {
        **counted,
        "receptive_field": {
            "radius": field.radius,
            "multiple": field.multiple,
            "sides": list(field.sides),
            "statistics": field.statistics,
            "local_radius": field.with_statistics().radius,
            "tiles": field.tiles,
            "description": str(field),
        },
    }


def describe_method(name: str) -> dict[str, Any]:
    """A classical method, ready for JSON."""
    from jaxrestore.classical.catalogue import METHODS, describe

    method = METHODS[name]
    return {
        "name": name,
        "task": method.task,
        "summary": method.summary,
        "needs": list(method.needs),
        "arguments": describe(name),
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

    # One line each: `jaxrestore models NAME` has all scores of a network, with their convention.
    caption = "published: the first score, PSNR in dB or PSNR/SSIM; `jaxrestore models NAME` shows all, and how they are measured"
    table = Table(title="networks", title_justify="left", caption=caption, caption_justify="left")
    for title in ("model", "task", "parameters", "image", "scale", "published", "forms", "shipped weights"):
        table.add_column(title, justify="right" if title in ("parameters", "scale") else "left", no_wrap=title == "model")
    for row in rows:
        table.add_row(
            row["name"],
            row["task"].replace("_", " "),
            f"{row['parameters']:,}",
            {1: "grey", 3: "RGB"}.get(row["channels"], str(row["channels"])),
            _scale(row),
            _first_score(row),
            ", ".join(row["forms"]),
            ", ".join(row["pretrained"]),
        )
    _console().print(table)


def _scale(row: dict[str, Any]) -> str:
    return " ".join(f"x{scale}" for scale in row["scales"] or [row["scale"]])


def _scores(row: dict[str, Any]) -> str:
    scores = "; ".join(f"{name}: {_score(value)}" for name, value in row["published"].items())
    return f"{scores} ({row['convention']})" if row["convention"] and scores else scores


def _first_score(row: dict[str, Any]) -> str:
    first = next(iter(row["published"].items()), None)
    return f"{first[0]}: {_score(first[1])}" if first else ""


def _score(value: float | tuple[float, float]) -> str:
    return f"{value[0]:g}/{value[1]:.4f}" if isinstance(value, tuple) else f"{value:g}"


def _print_card(card: dict[str, Any]) -> None:
    from rich.table import Table

    flops = card["flops"]
    lines = {
        "network": f"{card['network']}({', '.join(f'{key}={value!r}' for key, value in card['fields'].items())})",
        "task": card["task"].replace("_", " ") + (", blind (needs no noise level)" if card["blind"] else ""),
        "parameters": f"{card['parameters']:,} (published {card['published_parameters']:,})",
        "operations": f"{flops['operations'] / 1e9:.2f} GFLOP for {'x'.join(map(str, flops['shape']))}",
        "receptive field": card.get("receptive_field", {}).get("description", ""),
        "image": f"{card['channels']} channels, {_scale(card)}" + (", after bicubic interpolation" if card["interpolated"] else ""),
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


def _print_methods(methods: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table("method", "task", "what it is", "needs", title="classical methods", title_justify="left")
    for method in methods:
        table.add_row(method["name"], method["task"].replace("_", " "), method["summary"], ", ".join(method["needs"]))
    _console().print(table)


def _print_method(method: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(title=method["name"], title_justify="left", show_header=False, box=None)
    table.add_row("method", method["summary"])
    table.add_row("task", method["task"].replace("_", " "))
    table.add_row("needs", ", ".join(method["needs"]) or "the image alone")
    table.add_row("arguments", "\n".join(method["arguments"]) or "none")
    _console().print(table)
