"""`jaxrestore demo`: degrade a bundled photograph, restore it with bundled weights, show both; or a web page for pictures of one's own."""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

PHOTOGRAPH = Path(__file__).parent / "assets" / "coffee.jpg"
# The detail shown enlarged: left, top, width and height in pixels; the rim of the cup, the handle of the spoon and the wood.
DETAIL = (300, 60, 180, 120)


@dataclass(frozen=True)
class Demo:
    """Add noise to a photograph, restore it with the weights of the package, and show both.

    Writes clean.png, noisy.png, restored.png and side_by_side.png.
    """

    output: Annotated[Path, arg(aliases=("-o",))] = Path("demo")
    """Folder for the pictures."""
    model: Annotated[str | None, arg(metavar="NAME")] = None
    """A name or tag of `jaxrestore models`, or a classical method; the shipped colour denoiser by default."""
    weights: Annotated[Path | None, arg(metavar="FILE")] = None
    """A file of weights."""
    sigma: float = 25.0
    """Standard deviation of the noise in grey levels."""
    seed: int = 0
    """Of the noise."""
    web: bool = False
    """Open a page for pictures of your own instead, in a browser on this machine: upload, choose, compare before and after."""
    offer: Annotated[tuple[Path, ...], arg(metavar="FILE|FOLDER...")] = ()
    """With --web: files of weights and folders of them to choose from, beside those of the package and the classical methods."""
    host: str = "127.0.0.1"
    """With --web: the address to listen on; 0.0.0.0 lets other machines in."""
    port: int = 7860
    """With --web: the port to listen on."""

    def run(self) -> None:
        """Degrade, restore, measure, write; or serve the page."""
        if self.web:
            self._serve()
        else:
            self._show()

    def _serve(self) -> None:
        from jaxrestore.cli.web_page import launch, make_page
        from jaxrestore.cli.web_restore import choices

        offered, failures = choices(self.offer)
        for failure in failures:
            print(f"jaxrestore: not offered: {failure}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="jaxrestore-") as folder:
            launch(make_page(offered, Path(folder)), self.host, self.port)

    def _show(self) -> None:
        import jax
        import numpy as np

        from jaxrestore.cli.networks import make_restorer
        from jaxrestore.cli.side_by_side import side_by_side
        from jaxrestore.data.images import Picture, from_float, read_image, to_float, write_image
        from jaxrestore.degradations import recipes
        from jaxrestore.errors import InputError
        from jaxrestore.metrics import convention_for, score_image

        restorer = make_restorer(self.model, self.weights)
        recipe = recipes.parse(f"gaussian:sigma={self.sigma}")
        clean = to_float(read_image(PHOTOGRAPH).color)
        noisy = np.asarray(recipe(jax.random.key(self.seed), clean))
        start = time.perf_counter()
        known = {"sigma": self.sigma} if "sigma" in restorer.takes else {}
        restored = np.clip(restorer(noisy, **known), 0.0, 1.0)
        seconds = time.perf_counter() - start
        convention = convention_for("denoise")
        score = score_image(PHOTOGRAPH.name, restored, clean, noisy, convention)

        images = {"clean": clean, "noisy": noisy, "restored": restored}
        captions = {
            "clean": "clean",
            "noisy": f"noisy, sigma {self.sigma:g}: {score.input_psnr:.2f} dB",
            "restored": f"restored: {score.psnr:.2f} dB",
        }
        stored = {name: from_float(image, np.uint8) for name, image in images.items()}
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.output} cannot be made a folder: {error.strerror}") from error
        for name, pixels in stored.items():
            write_image(self.output / f"{name}.png", Picture(pixels))
        sheet = side_by_side({captions[name]: pixels for name, pixels in stored.items()}, DETAIL)
        write_image(self.output / "side_by_side.png", Picture(sheet))
        print(f"noisy     PSNR {score.input_psnr:6.2f} dB   SSIM {score.input_ssim:.4f}")
        print(f"restored  PSNR {score.psnr:6.2f} dB   SSIM {score.ssim:.4f}   by {restorer.name} in {seconds:.1f} s, compilation included")
        print(f"recipe {recipe}, seed {self.seed}; the noise is not clipped before it is restored")
        print(f"convention {convention.name}: {convention.description}")
        print(f"look at {self.output / 'side_by_side.png'}")
