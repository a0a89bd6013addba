"""The README's table of models is the catalogue's. `python -m tests.test_readme` writes it anew."""

from pathlib import Path

from jaxrestore.models.catalogue import list_models, model_card

README = Path(__file__).resolve().parents[1] / "README.md"
START, END = "<!-- models: generated from the catalogue -->\n", "<!-- end of models -->\n"


def table() -> str:
    rows = ["| model | task | parameters | scores in the literature (PSNR in dB unless said) | paper |", "|---|---|---:|---|---|"]
    for name in list_models():
        card = model_card(name)
        scores = ", ".join(f"{where}: {value:g}" for where, value in card.published.items())
        paper = f"[paper]({card.paper})" if card.paper.startswith("http") else card.paper
        rows.append(f"| `{name}` | {card.task.replace('_', ' ')} | {card.parameters:,} | {scores or '-'} | {paper} |")
    return "\n".join(rows) + "\n"


def test_the_table_of_models_is_the_catalogue():
    text = README.read_text()
    assert text[text.index(START) + len(START) : text.index(END)] == table(), "run `python -m tests.test_readme`"


def main() -> None:
    text = README.read_text()
    README.write_text(text[: text.index(START) + len(START)] + table() + text[text.index(END) :])


if __name__ == "__main__":
    main()
