"""The training stream: one sequence of records, whoever computes it, wherever it is taken up; and workers that end with their parent."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import grain
import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest

from jaxrestore.data.images import Picture, write_image
from jaxrestore.data.pipeline import evaluation_images, training_batches
from jaxrestore.data.sources import ImageFolder, PairedFolders
from jaxrestore.data.transforms import CropAndFlip
from jaxrestore.errors import InputError

IMAGES = 7
OPTIONS = {"batch_size": 4, "patch": 6, "seed": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for index in range(IMAGES):  # every picture is told by its colour, every pixel by its place
        pixels = np.indices((9, 11)).transpose(1, 2, 0)
        write_image(folder / f"{index}.png", Picture(np.concatenate([pixels, np.full((9, 11, 1), index)], -1).astype(np.uint8)))
    return folder


def take(batches, count: int) -> list[dict[str, np.ndarray]]:
    return [next(batches) for _ in range(count)]


def assert_same(ours, theirs) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.keys() == other.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], other[name])
            assert mine[name].dtype == other[name].dtype


def joined(batches) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def test_shapes_and_whole_epochs_each_in_another_order(folder):
    stream = joined(take(training_batches(ImageFolder(folder), **OPTIONS), 3 * IMAGES))
    assert stream["image"].shape == (3 * IMAGES * 4, 6, 6, 3)
    assert stream["image"].dtype == np.uint8
    np.testing.assert_array_equal(stream["index"], np.arange(3 * IMAGES * 4))
    pictures = stream["image"][:, 0, 0, 2].reshape(-1, IMAGES)
    np.testing.assert_array_equal(np.sort(pictures), np.tile(np.arange(IMAGES), (12, 1)))
    assert len({tuple(epoch) for epoch in pictures}) > 9


def test_a_record_is_replayed_from_seed_and_index_alone(folder):
    source = ImageFolder(folder)
    stream = joined(take(training_batches(source, **OPTIONS), 8))
    for index, image in zip(stream["index"], stream["image"], strict=True):
        again = CropAndFlip(patch=6, seed=3)(int(index), source[int(image[0, 0, 2])])
        np.testing.assert_array_equal(again["image"], image)


def test_seeds_differ_and_no_epoch_is_shared_with_the_next_seed(folder):
    orders = []
    for seed in (3, 4, 2**40):
        stream = joined(take(training_batches(ImageFolder(folder), batch_size=IMAGES, patch=6, seed=seed), 4))
        orders += [tuple(epoch) for epoch in stream["image"][:, 0, 0, 2].reshape(-1, IMAGES)]
    assert len(set(orders)) == len(orders)


@pytest.mark.parametrize("augment", [True, False])
def test_without_augmentation_rows_stay_rows(folder, augment):
    stream = joined(take(training_batches(ImageFolder(folder), **OPTIONS, augment=augment), 8))
    upright = np.all(np.diff(stream["image"][..., 0].astype(int), axis=1) == 1, axis=(1, 2))
    assert upright.all() != augment


def test_the_stream_does_not_depend_on_workers_and_resumes_under_any_number(folder):
    source = ImageFolder(folder)
    alone = training_batches(source, **OPTIONS)
    expected = take(alone, 12)
    one = training_batches(source, **OPTIONS, workers=1)
    assert_same(take(one, 5), expected[:5])
    state = json.loads(json.dumps(one.get_state()))
    assert_same(take(one, 2), expected[5:7])  # asking for the state changes nothing
    one.close()
    with pytest.raises(ValueError, match="closed"):
        next(one)
    for workers in (0, 2):
        batches = training_batches(source, **OPTIONS, workers=workers)
        assert_same(take(batches, 3), expected[:3])
        batches.set_state(state)  # in the middle of work
        assert batches.get_state() == state
        assert_same(take(batches, 7), expected[5:])
        batches.close()


def test_state_lives_in_an_orbax_checkpoint(folder, tmp_path):
    batches = training_batches(ImageFolder(folder), **OPTIONS)
    take(batches, 5)
    with ocp.CheckpointManager(tmp_path) as manager:
        manager.save(5, args=ocp.args.Composite(data=grain.checkpoint.CheckpointSave(batches)))
        manager.wait_until_finished()
        again = training_batches(ImageFolder(folder), **OPTIONS)
        manager.restore(5, args=ocp.args.Composite(data=grain.checkpoint.CheckpointRestore(again)))
    assert_same(take(again, 3), take(batches, 3))


@pytest.mark.parametrize("count", [2, 4])
def test_shards_together_are_the_whole_stream(folder, count):
    source = ImageFolder(folder)
    whole = take(training_batches(source, batch_size=4, patch=6, seed=3), 6)
    shards = [training_batches(source, batch_size=4 // count, patch=6, seed=3, shard=(index, count)) for index in range(count)]
    steps = [joined([next(shard) for shard in shards]) for _ in range(6)]
    assert_same(steps, whole)
    # One state fits all processes, and any number of them.
    assert len({json.dumps(shard.get_state()) for shard in shards}) == 1
    alone = training_batches(source, batch_size=4, patch=6, seed=3)
    alone.set_state(shards[1].get_state())
    assert_same([joined([next(shard) for shard in shards])], [next(alone)])
    for shard in shards:
        shard.set_state(alone.get_state())
    assert_same([joined([next(shard) for shard in shards])], [next(alone)])


def test_pairs_keep_together(tmp_path):
    for side in ("clean", "degraded"):
        (tmp_path / side).mkdir()
    small = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    write_image(tmp_path / "degraded" / "a.png", Picture(small))
    write_image(tmp_path / "clean" / "a.png", Picture(small.repeat(2, 0).repeat(2, 1)))
    batch = next(training_batches(PairedFolders(tmp_path / "degraded", tmp_path / "clean"), batch_size=5, patch=8, seed=0))
    assert batch["degraded"].shape == (5, 4, 4, 3)
    np.testing.assert_array_equal(batch["image"], batch["degraded"].repeat(2, 1).repeat(2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"seed": 4}, "with seed 3, not 4"), ({"batch_size": 8}, "lies inside a batch of 8"), ({}, "with images 7, not 6")],
)
def test_a_state_of_another_stream_is_refused(folder, tmp_path, change, message):
    batches = training_batches(ImageFolder(folder), **OPTIONS)
    take(batches, 3)
    source = ImageFolder(folder)
    if not change:
        source.names = source.names[:-1]
    with pytest.raises(InputError, match=message):
        training_batches(source, **{**OPTIONS, **change}).set_state(batches.get_state())


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"patch": 0}, {"seed": -1}, {"workers": -1}, {"shard": (2, 2)}])
def test_wrong_numbers(folder, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        training_batches(ImageFolder(folder), **{**OPTIONS, **wrong})


@pytest.mark.parametrize("workers", [0, 1])
def test_a_bad_picture_is_named(folder, tmp_path, workers):
    (tmp_path / "bad.png").write_bytes((folder / "0.png").read_bytes()[:50])
    batches = training_batches(ImageFolder(tmp_path), **OPTIONS, workers=workers)
    with pytest.raises(InputError, match=r"bad\.png cannot be decoded"):
        next(batches)
    batches.close()


def test_evaluation_gives_every_image_once(folder):
    source = ImageFolder(folder)
    images = list(evaluation_images(source))
    assert [image["name"] for image in images] == list(source.names)
    for image, record in zip(images, source, strict=True):
        np.testing.assert_array_equal(image["image"], record["image"])
    assert [image["name"] for image in evaluation_images([{"image": np.zeros((2, 2, 3), np.uint8)}])] == ["0"]


class Platform:
    """A source whose pixels say which JAX platform the process that reads them is held to."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index) -> dict[str, np.ndarray]:
        held = os.environ.get("JAX_PLATFORMS") == jax.config.jax_platforms == "cpu"
        return {"image": np.full((6, 6, 3), held, np.uint8)}


def test_workers_keep_off_accelerators(monkeypatch):
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    batches = training_batches(Platform(), **OPTIONS, workers=1)
    assert next(batches)["image"].all()
    batches.close()


# Takes batches with two workers, says what the workers are, then trains on until it is killed.
TRAINER = """
    import multiprocessing, os, signal, sys, threading
    from jaxrestore.data.pipeline import training_batches
    from jaxrestore.data.sources import ImageFolder

    if __name__ == "__main__":
        batches = training_batches(ImageFolder(sys.argv[1]), batch_size=4, patch=6, seed=3, workers=2)
        for _ in range(3):
            next(batches)
        workers = [child.pid for child in multiprocessing.active_children()]
        if sys.argv[2] == "signals":  # as a terminal's Ctrl-C or a cluster's notice reaches them
            for worker in workers:
                os.kill(worker, signal.SIGINT)
                os.kill(worker, signal.SIGTERM)
        for _ in range(20):
            next(batches)
        print(*workers, flush=True)
        if sys.argv[2] == "wait":
            threading.Event().wait()
"""


def start_trainer(folder: Path, tmp_path: Path, then: str) -> subprocess.Popen:
    script = tmp_path / "trainer.py"
    script.write_text(textwrap.dedent(TRAINER))
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), then], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@linux
def test_workers_end_with_a_parent_that_is_killed(folder, tmp_path):
    with start_trainer(folder, tmp_path, "wait") as trainer:
        workers = [int(word) for word in trainer.stdout.readline().split()]
        assert len(workers) == 2
        assert all(map(runs, workers))
        trainer.send_signal(signal.SIGKILL)
        trainer.wait()
        deadline = time.monotonic() + 10
        while any(map(runs, workers)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(map(runs, workers))


@linux
def test_workers_outlast_signals_and_end_with_a_parent_that_forgets_them(folder, tmp_path):
    with start_trainer(folder, tmp_path, "signals") as trainer:
        output, errors = trainer.communicate(timeout=60)
    workers = [int(word) for word in output.split()]
    assert trainer.returncode == 0, errors
    assert len(workers) == 2
    assert not any(map(runs, workers))
    assert "Traceback" not in errors
