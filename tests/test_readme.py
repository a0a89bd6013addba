"""The README's tables are the catalogue's and the shipped weights'. `python -m tests.test_readme` writes them anew."""

from pathlib import Path

import pytest

from jaxrestore.models.catalogue import list_models, model_card
from jaxrestore.weights import list_pretrained, load_weights

README = Path(__file__).resolve().parents[1] / "README.md"


def models() -> str:
    rows = ["| model | task | parameters | scores in the literature (PSNR in dB unless said) | paper |", "|---|---|---:|---|---|"]
    for name in list_models():
        card = model_card(name)
        scores = ", ".join(f"{where}: {value:g}" for where, value in card.published.items())
        paper = f"[paper]({card.paper})" if card.paper.startswith("http") else card.paper
        rows.append(f"| `{name}` | {card.task.replace('_', ' ')} | {card.parameters:,} | {scores or '-'} | {paper} |")
    return "\n".join(rows) + "\n"


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
