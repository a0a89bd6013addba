"""The web page of `jaxrestore demo --web`: the only file that knows gradio."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxrestore.cli.web_restore import Choice, Given, restore
from jaxrestore.errors import InputError

_FIELDS = ("sigma", "quality", "scale", "psf", "mask")
_TITLES = {"super_resolution": "super-resolution", "jpeg": "JPEG artefacts", "restoration": "general restoration"}


def make_page(offered: Sequence[Choice], folder: Path) -> Any:
    """The page, as a gradio app that waits to be launched.

    Args:
      offered: what a user can choose from.
      folder: where restored pictures go.

    Raises:
      InputError: gradio is not installed.
    """
    gradio = _gradio()
    by_label = {choice.label: choice for choice in offered}
    tasks: dict[str, list[str]] = {}
    for choice in offered:
        tasks.setdefault(_TITLES.get(choice.task, choice.task), []).append(choice.label)
    first = next(iter(tasks))

    def labels(task: str) -> Any:
        return gradio.Dropdown(choices=tasks[task], value=tasks[task][0])

    def fields(label: str) -> list[Any]:
        choice = by_label[label]
        scale = gradio.Number(visible="scale" in choice.takes, value=(choice.scales or (2,))[0])
        return [scale if name == "scale" else gradio.update(visible=name in choice.takes) for name in _FIELDS]

    def upload(label: str, name: str, visible: bool = True) -> Any:
        image = gradio.Image(label=label, type="filepath", sources=["upload"], image_mode=None, visible=visible, elem_id=name, height=220)
        # The file as it was uploaded: gradio would decode it, and knows fewer kinds and says less of what is wrong.
        image.preprocess = lambda payload: None if payload is None else payload.path
        return image

    def run(
        label: str, picture: str | None, reference: str | None, sigma: float, quality: float, scale: float, psf: str, mask: str | None
    ) -> tuple[Any, ...]:
        given = Given(sigma, int(quality), int(scale), psf, None if mask is None else Path(mask))
        try:
            if picture is None:
                raise InputError("no picture is given: upload one first")
            made = restore(by_label[label], Path(picture), given, None if reference is None else Path(reference), folder)
        except InputError as error:
            uploads = {f"{Path(file).parent}/" for file in (picture, reference, mask) if file is not None}
            return None, gradio.update(visible=False), gradio.update(visible=False), _one_line(error, uploads)
        except MemoryError:
            return None, gradio.update(visible=False), gradio.update(visible=False), "Error: the picture does not fit into memory"
        scores = gradio.update(visible=bool(made.scores), value=[list(row) for row in made.scores])
        return (made.before, made.after), gradio.update(visible=True, value=str(made.file)), scores, made.said

    with gradio.Blocks(title="jaxrestore", analytics_enabled=False) as page:
        gradio.Markdown("# jaxrestore\nRestore a picture: before on the left of the slider, after on the right.")
        with gradio.Row():
            with gradio.Column(scale=1):
                picture = upload("Picture", "picture")
                task = gradio.Dropdown(label="Task", choices=list(tasks), value=first, elem_id="task")
                model = gradio.Dropdown(label="Model", choices=tasks[first], value=tasks[first][0], elem_id="model")
                shown = by_label[tasks[first][0]].takes
                sigma = gradio.Number(25, label="Noise level in grey levels", minimum=0, visible="sigma" in shown, elem_id="sigma")
                quality = gradio.Number(
                    30, label="Quality of the JPEG", minimum=1, maximum=100, precision=0, visible="quality" in shown, elem_id="quality"
                )
                scale = gradio.Number(2, label="Enlargement", minimum=1, precision=0, visible="scale" in shown, elem_id="scale")
                psf = gradio.Textbox("gaussian:sigma=1.6", label="Kernel of the blur", visible="psf" in shown, elem_id="psf")
                mask = upload("Mask, white where content is missing", "mask", visible="mask" in shown)
                reference = upload("Reference, for metrics (optional)", "reference")
                button = gradio.Button("Restore", variant="primary", elem_id="restore")
            with gradio.Column(scale=2):
                said = gradio.Markdown(elem_id="said")
                slider = gradio.ImageSlider(label="Before and after", elem_id="slider", type="numpy", format="png")
                scores = gradio.Dataframe(headers=["picture", "PSNR in dB", "SSIM"], visible=False, elem_id="scores", label="Metrics")
                file = gradio.File(label="The restored picture, with its full depth", visible=False, elem_id="file")
        task.change(labels, task, model)
        model.change(fields, model, [sigma, quality, scale, psf, mask])
        button.click(run, [model, picture, reference, sigma, quality, scale, psf, mask], [slider, file, scores, said])
    return page


def _one_line(error: InputError, folders: set[str]) -> str:
    message = " ".join(str(error).split())
    for folder in folders:  # where uploads lie says nothing to who uploaded them
        message = message.replace(folder, "")
    return f"Error: {message}"


def launch(page: Any, host: str, port: int) -> None:
    """Serve the page until Ctrl-C.

    Raises:
      InputError: the port is taken.
    """
    try:
        page.launch(server_name=host, server_port=port, show_error=True, quiet=True, prevent_thread_lock=True)
    except OSError as error:
        raise InputError(f"port {port} of {host} cannot be listened on: choose another with --port") from error
    print(f"open http://{host}:{port} in a browser; stop with Ctrl-C", flush=True)
    page.block_thread()


def _gradio() -> Any:
    try:
        import gradio
    except ImportError:
        raise InputError("the web page needs gradio: install it with pip install 'jaxrestore[demo]'") from None
    return gradio
