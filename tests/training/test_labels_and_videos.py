"""Training data with more than images: folders of classes, and clips of real videos."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from jaxrestore.data.classes import ClassFolders
from jaxrestore.data.images import Picture, write_image
from jaxrestore.data.pipeline import training_batches
from jaxrestore.data.video_clips import FrameFolder, VideoClips, VideoFile
from jaxrestore.errors import InputError
from jaxrestore.training.config import Data, Experiment, Model, Objective
from jaxrestore.training.objectives.run import Run, build_objective
from jaxrestore.training.optimizers import make_optimizer
from tests.cli.command import refused_in_one_line, run

ROOT = Path(__file__).resolve().parents[2]


def picture(path: Path, value: int, height: int = 8, width: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, Picture(np.full((height, width, 3), value, np.uint8)))


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    """Ten times the class, and a little more, is what a picture shows."""
    folder = tmp_path_factory.mktemp("people")
    for number, name in enumerate(("ann", "bob", "cleo")):
        for i in range(3):
            picture(folder / name / ("deeper" if i == 2 else "") / f"{i}.png", 10 * number + i)
    return folder


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    """Twelve frames that show their numbers, in the order of their numbers, not of their names' letters; and five."""
    folder = tmp_path_factory.mktemp("videos")
    for i in range(12):
        picture(folder / "long" / f"frame{i}.png", i, 9, 10)
    for i in range(5):
        picture(folder / "short" / f"{i}.png", 100 + i, 6, 8)
    return folder


def test_every_picture_comes_with_its_class(classes):
    source = ClassFolders(classes)
    assert source.classes == ("ann", "bob", "cleo")
    batches = training_batches(source, batch_size=5, patch=4, seed=0)
    seen = set()
    for batch in itertools.islice(batches, 9):
        assert batch["label"].dtype == np.int32
        np.testing.assert_array_equal(batch["image"][:, 0, 0, 0] // 10, batch["label"])
        seen |= set(batch["image"][:, 0, 0, 0].tolist())
    batches.close()
    assert seen == {10 * number + i for number in range(3) for i in range(3)}
    again = ClassFolders(classes, ("nobody", "cleo", "bob", "ann"))
    assert {int(again[i]["image"][0, 0, 0]) // 10 for i in range(9) if again[i]["label"] == 1} == {2}


def test_pictures_without_a_class(tmp_path, classes):
    picture(tmp_path / "ann" / "0.png", 0)
    picture(tmp_path / "alone.png", 0)
    with pytest.raises(InputError, match=r"alone\.png lies in no subfolder"):
        ClassFolders(tmp_path)
    with pytest.raises(InputError, match="cleo is no class of the training's, which are ann, bob"):
        ClassFolders(classes, ("ann", "bob"))


def test_a_network_of_classes_is_trained_by_the_command(tmp_path, capsys, classes):
    fields = {"image_size": 8, "latent": 2, "encoder_features": (3,), "features": (3,), "kernel_sizes": (3, 3), "dense": 4}
    arguments = [
        "train",
        ROOT / "experiments/generative/cvae_gan.py",
        *(f"model.fields.{name}={value}" for name, value in fields.items()),
        f"data.path={classes}",
        *("data.batch=8", "data.patch=8", "data.workers=0", "steps=2", "log_every=1"),
        *("objective.arguments.classifier=none", "objective.arguments.discriminator=none"),
        *(f"validation.path={classes}", "validation.crop=8", "validation.every=2"),
    ]
    run(*arguments, "model.fields.classes=3", f"run={tmp_path / 'run'}")
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert any("validation_psnr" in line for line in log)
    line = refused_in_one_line(capsys, *arguments, "model.fields.classes=4", f"run={tmp_path / 'other'}")
    assert "holds 3 classes; set model.fields.classes=3, not 4" in line
    line = refused_in_one_line(capsys, *arguments, "model.fields.classes=3", "data.source=folder", f"run={tmp_path / 'third'}")
    assert "holds no pictures" in line


def built(model: Model, objective: Objective, source: str) -> object:
    config = Experiment(model, Data("x", source, patch=8), "run", "gaussian:sigma=25", objective=objective)
    from jaxrestore.models.catalogue import create_model

    return build_objective(Run(config, create_model(model.name, **model.fields), make_optimizer(config.optimizer, 2)))


def test_classes_need_labels():
    assert built(Model("gated_pixelcnn"), Objective("autoregressive"), "classes") is not None
    variational = {"classifier": "cvae_gan_classifier"}
    assert built(Model("cvae_gan"), Objective("variational", variational), "classes") is not None
    with pytest.raises(InputError, match=r"model\.fields\.classes = 530: these batches bring no labels"):
        built(Model("cvae_gan"), Objective("variational"), "folder")
    with pytest.raises(InputError, match=r"classifier_fields\.classes = 530: these batches bring no labels"):
        built(Model("cvae_gan", {"classes": 0}), Objective("variational", variational), "folder")
    with pytest.raises(InputError, match=r"classifier_fields\.classes = 530: the restorer has 3"):
        built(Model("cvae_gan", {"classes": 3}), Objective("variational", variational), "classes")


def test_clips_are_consecutive_frames(videos):
    source = VideoClips(videos, 4)
    assert source.names == ("long", "short")
    batches = training_batches(source, batch_size=4, patch=7, seed=1)
    first_frames = set()
    for batch in itertools.islice(batches, 20):
        assert batch["video"].shape == (4, 4, 7, 7, 3)
        assert "image" not in batch
        assert (batch["video"] == batch["video"][:, :, :1, :1, :1]).all()  # each frame is of one colour
        numbers = batch["video"][:, :, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(numbers - numbers[:, :1], np.tile(np.arange(4), (4, 1)))
        first_frames |= set(numbers[:, 0].tolist())
    batches.close()
    assert first_frames == {*range(9), 100, 101}  # wherever four fit
    assert len(VideoClips(videos / "long", 4)) == 1
    assert FrameFolder(videos / "long", 1, "gray").read(1.0, 4)[0].shape == (9, 10, 1)


def test_frames_of_a_file(tmp_path):
    from tests.data import clips

    path = clips.make(tmp_path / "clip.mkv", "-c:v", "ffv1", "-pix_fmt", "bgr0", frames=9)
    stored = clips.pixels(path)
    video = VideoFile(path, 3, "gray")
    for place, first in ((0.0, 0), (0.5, 3), (0.999, 5)):
        np.testing.assert_array_equal(video.read(place, 4), stored[first : first + 4])
    with pytest.raises(InputError, match=r"clip\.mkv holds 9 frames: clips need 10"):
        video.read(0.3, 10)
    (tmp_path / "notes.txt").write_text("no video")
    assert VideoClips(tmp_path, 4).names == ("clip.mkv",)


def test_a_network_for_videos_is_trained_by_the_command(tmp_path, capsys, videos):
    arguments = [
        "train",
        ROOT / "experiments/generative/video_unet.py",
        *("data.source=videos", f"data.path={videos}", "data.frames=4", "data.batch=8", "data.patch=8", "data.workers=0"),
        *("model.fields.features=(2,)", "objective.arguments.window=6", "steps=2", "log_every=1", f"run={tmp_path / 'run'}"),
    ]
    run(*arguments, "objective.arguments.frames=3")
    assert (tmp_path / "run" / "weights.safetensors").exists()
    line = refused_in_one_line(capsys, *arguments, "objective.arguments.frames=5", f"run={tmp_path / 'other'}")
    assert "clips need 5 frames of 6x6" in line


def test_what_is_no_video(tmp_path, videos):
    with pytest.raises(InputError, match="short holds 5 frames: clips need 6"):
        VideoClips(videos, 6)[1]["video"].read(0.0, 6)
    with pytest.raises(InputError, match="holds no videos"):
        VideoClips(tmp_path, 4)
    with pytest.raises(InputError, match="does not exist"):
        VideoClips(tmp_path / "nowhere", 4)
    picture(tmp_path / "a" / "0.png", 0)
    picture(tmp_path / "a" / "1.png", 0, 9)
    with pytest.raises(InputError, match=r"1\.png is not as large as 0\.png"):
        VideoClips(tmp_path, 2)[0]["video"].read(0.0, 2)
    with pytest.raises(InputError, match="the objective supervised takes images"):
        Experiment(Model("dncnn_gray"), Data("x", "videos"), "run", "gaussian:sigma=25")
