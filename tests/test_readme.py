"""The README's tables are the catalogue's and the shipped weights'. `python -m tests.test_readme` writes them anew."""

from pathlib import Path

import pytest

from jaxrestore.models.card import TASKS, ModelCard
from jaxrestore.models.catalogue import list_models, model_card
from jaxrestore.weights import list_pretrained, load_weights

TITLES = {
    "super_resolution": "Super-resolution",
    "jpeg": "JPEG artefacts",
    "restoration": "General restoration",
    "discrimination": "Discriminators, the partners in adversarial training",
}

README = Path(__file__).resolve().parents[1] / "README.md"


def models() -> str:
    by_task: dict[str, dict[tuple[str, str], list[ModelCard]]] = {task: {} for task in TASKS}
    for card in map(model_card, list_models()):
        by_task[card.task].setdefault((card.module.__name__, card.paper), []).append(card)
    sections = []
    for task, networks in by_task.items():
        if networks:
            rows = [row(*key, cards) for key, cards in networks.items()]
            table = ["| network | configurations | parameters |", "|---|---|---:|", *rows]
            sections.append("\n".join([f"### {TITLES.get(task, task.capitalize())}", "", *table]) + "\n")
    return "\n".join(["", *sections, ""])


def row(network: str, paper: str, cards: list[ModelCard]) -> str:
    title = f"[{network}]({paper})" if paper.startswith("http") else f"{network}, {paper}" if paper else network
    least, most = (size(count(card.parameters for card in cards)) for count in (min, max))
    names = ", ".join(f"`{card.name}`" for card in cards)
    return f"| {title} | {names} | {least if least == most else f'{least} to {most}'} |"


def size(parameters: int) -> str:
    return f"{parameters / 1e6:.2f} M" if parameters >= 1e6 else f"{parameters / 1e3:.3g} K"


def weights() -> str:
    rows = ["| weights | trained on | steps | time and machine | measured, PSNR in dB |", "|---|---|---:|---|---|"]
    for tag in list_pretrained():
        about = load_weights(tag).information
        scores = "; ".join(
            f"{where}: {score['noisy']:.2f} noisy, **{score['restored']:.2f}** restored" for where, score in about["scores"].items()
        )
        data, steps, convention = about["data"], about["steps"], about["convention"]
        rows.append(f"| `{tag}` | {data} | {steps:,} | {about['time']}, {about['hardware']} | {scores} (`{convention}`) |")
    return "\n".join(rows) + "\n"


TABLES = {"models: generated from the catalogue": models, "weights: generated from the files": weights}


def parts(text: str, title: str) -> tuple[str, str, str]:
    start, end = f"<!-- {title} -->\n", "<!-- end -->\n"
    before, _, rest = text.partition(start)
    table, _, after = rest.partition(end)
    return before + start, table, end + after


@pytest.mark.parametrize("title", TABLES)
def test_a_table_says_what_the_package_says(title):
    assert parts(README.read_text(), title)[1] == TABLES[title](), "run `python -m tests.test_readme`"


def main() -> None:
    for title, table in TABLES.items():
        before, _, after = parts(README.read_text(), title)
        README.write_text(before + table() + after)


if __name__ == "__main__":
    main()
