"""Networks that take a mask, used as restorers: known pixels, masks of every shape, turned views, memory, what is refused."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.data.images import Picture, read_image, write_image
from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.models.generative.deepfill import DeepFill
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.missing import missing_map
from jaxrestore.weights import save_weights
from tests.cli.command import refused_in_one_line, run


class Counted(nn.Module):
    """Fills each hole with its share of the image, darker towards the left; `finds_mask` makes it take what is black."""

    channels: int = 3
    finds_mask: bool = False

    @nn.compact
    def __call__(self, image, mask=None):
        missing = jnp.all(image == 0, -1, keepdims=True) if mask is None and self.finds_mask else missing_map(self, image, mask)
        share = jnp.mean(missing.astype(jnp.float32), (1, 2, 3), keepdims=True)
        ramp = jnp.linspace(0.5, 1.0, image.shape[2]).reshape(1, 1, -1, 1)
        return jnp.where(missing, share * ramp, image)


def a_hole(height: int = 6, width: int = 8) -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(0).integers(1, 256, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), bool)
    mask[1:4, 2:6] = True
    return image, mask


def test_known_pixels_come_back_bit_by_bit():
    image, mask = a_hole()
    for given in (mask, mask[..., None], mask[None, ..., None]):
        restored = Restorer(Counted(), {}, mask=given)(image)
        np.testing.assert_array_equal(restored[~mask], image[~mask])
        expected = np.floor(255 * 0.25 * np.linspace(0.5, 1, 8)[2:6] + 0.5)  # 12 of 48 pixels are missing
        np.testing.assert_array_equal(restored[1, 2:6], np.repeat(expected[:, None], 3, 1))
        np.testing.assert_array_equal(Restorer(Counted(), {})(image, mask=given), restored)


def test_each_image_of_a_batch_has_its_mask_whatever_the_memory():
    images = np.stack([a_hole()[0], a_hole()[0][::-1]])
    masks = np.stack([a_hole()[1], np.zeros((6, 8), bool)])[..., None]
    together = Restorer(Counted(), {})(images, mask=masks)
    np.testing.assert_array_equal(together[1], images[1])
    assert (together[0] != images[0]).any()
    one = Restorer(Counted(), {}, memory=8000)
    assert len(list(one.engine.pieces(images, masks))) == 2
    np.testing.assert_array_equal(one(images, mask=masks), together)
    with pytest.raises(InputError, match="Counted needs the whole image at once, and that does not fit"):
        Restorer(Counted(), {}, memory=100)(images, mask=masks)


@pytest.mark.parametrize(("channels", "shape"), [(3, (6, 8)), (3, (6, 8, 1)), (1, (6, 8, 3)), (1, (6, 8))])
def test_grey_and_colour_on_either(channels: int, shape: tuple[int, ...]):
    image, mask = np.random.default_rng(1).random(shape, np.float32), a_hole()[1]
    restored = Restorer(Counted(channels), {}, mask=mask)(image)
    assert restored.shape == shape
    np.testing.assert_allclose(restored[~mask], image[~mask], rtol=1e-6)
    assert (restored[mask] <= 0.25).all()


def test_views_turn_image_and_mask_together():
    image, mask = a_hole(6, 7)
    image = image / np.float32(255)
    restored = Restorer(Counted(), {}, ensemble=True, mask=mask)(image)
    np.testing.assert_allclose(restored[~mask], image[~mask], rtol=1e-6)
    ramp = np.linspace(0.5, 1, 7)
    rows = np.linspace(0.5, 1, 6)
    along = (ramp + ramp[::-1])[None, :] / 4 + (rows + rows[::-1])[:, None] / 4  # four views lie, four stand
    np.testing.assert_allclose(restored[mask], np.repeat((mask.mean() * along)[mask][:, None], 3, 1), rtol=1e-5)


def test_a_mask_is_optional_for_a_network_that_finds_it():
    image, mask = a_hole()
    image[mask] = 0
    restorer = Restorer(Counted(finds_mask=True), {})
    np.testing.assert_array_equal(restorer(image), Restorer(Counted(), {})(image, mask=mask))
    np.testing.assert_array_equal(restorer(image, mask=~mask), Restorer(Counted(), {})(image, mask=~mask))


def test_what_is_refused():
    image, mask = a_hole()
    restorer = Restorer(Counted(), {})
    assert restorer.takes == ("mask",)
    assert Restorer(Counted(), {}, mask=mask).takes == ()
    with pytest.raises(InputError, match=r"Counted needs a mask of what is missing \(mask\)"):
        restorer(image)
    with pytest.raises(InputError, match="mask is given twice"):
        Restorer(Counted(), {}, mask=mask)(image, mask=mask)
    with pytest.raises(InputError, match="the mask has 5x8 pixels and the image 6x8"):
        restorer(image, mask=mask[1:])
    with pytest.raises(InputError, match="takes no sigma"):
        restorer(image, mask=mask, sigma=5)
    with pytest.raises(InputError, match="takes no scale"):
        Restorer(Counted(), {}, scale=2)
    with pytest.raises(InputError, match="fills holes from the whole image: leave tile at auto"):
        Restorer(Counted(), {}, tile=64)


def test_the_commands_fill_holes(tmp_path, capsys):
    """`restore --mask`, `evaluate --task inpaint` with a mask and with a recipe."""
    image, mask = a_hole(16, 24)
    model = DeepFill(4)
    save_weights(tmp_path / "fill.safetensors", initialise(model, jax.random.key(0), np.zeros((1, 16, 16, 3), np.float32)), model)
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.png", Picture(image))
    write_image(tmp_path / "mask.png", Picture(255 * mask[..., None].astype(np.uint8)))
    weights = ("--weights", tmp_path / "fill.safetensors")
    run("restore", tmp_path / "in" / "a.png", "-o", tmp_path / "out.png", *weights, "--mask", tmp_path / "mask.png")
    restored = read_image(tmp_path / "out.png").color
    np.testing.assert_array_equal(restored[~mask], image[~mask])
    assert (restored[mask] != image[mask]).any()
    assert "needs a mask" in refused_in_one_line(capsys, "restore", tmp_path / "in" / "a.png", "-o", tmp_path / "b.png", *weights)
    for given in (("--mask", tmp_path / "mask.png"), ("--recipe", "erase:count=1")):
        run("evaluate", "--data", tmp_path / "in", "--task", "inpaint", *weights, *given)
        assert "a.png" in capsys.readouterr().out
