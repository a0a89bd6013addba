"""Folders of pictures: batches, several devices, what runs at the same time, and files that fail."""

import itertools
import threading
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxrestore.data.images import Picture, read_image, write_image
from jaxrestore.data.jobs import Job
from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer, folder
from jaxrestore.inference.folder import restore_files
from tests.inference.networks import Gain, Identity, Painter, random_restorer


def pictures(place: Path, shapes, dtype=np.uint8) -> list[Job]:
    generator = np.random.default_rng(0)
    tasks = []
    for n, shape in enumerate(shapes):
        tasks.append(Job(place / "in" / f"{n}.png", place / "out" / "deep" / f"{n}.png"))
        tasks[-1].source.parent.mkdir(exist_ok=True)
        write_image(tasks[-1].source, Picture(generator.integers(0, np.iinfo(dtype).max + 1, shape, dtype)))
    return tasks


def done(restorer: Restorer, tasks: list[Job], **options) -> dict[int, Exception | None]:
    outcomes = list(restore_files(restorer, tasks, **options))
    assert len(outcomes) == len(tasks)
    return dict(outcomes)


@pytest.fixture
def batches(monkeypatch):
    """Batches of 4 pictures of 6x5; gives how many pictures went together, and where."""
    seen = []
    together = Restorer.restore_pictures

    def spy(self, given, **inputs):
        leaves = jax.tree.leaves(self.engine.variables)
        seen.append((len(given), next(iter(leaves[0].devices())).id if leaves else 0))
        return together(self, given, **inputs)

    monkeypatch.setattr(Restorer, "restore_pictures", spy)
    monkeypatch.setitem(folder._BATCH_PIXELS, "cpu", 4 * 6 * 5)
    return seen


def test_several_devices_give_the_same_bytes_as_one(tmp_path, batches, monkeypatch):
    tasks = pictures(tmp_path, [(6, 5, 3)] * 10)
    restorer, written = random_restorer(), []
    together, both, calls = Restorer.restore_pictures, threading.Barrier(2), itertools.count()

    def meet(self, given, **inputs):
        if 3 <= next(calls) < 5:  # of the three batches on several devices two are on their way at the same time
            both.wait(30)
        return together(self, given, **inputs)

    monkeypatch.setattr(Restorer, "restore_pictures", meet)
    for devices in (jax.local_devices()[:1], jax.local_devices()):
        assert not any(done(restorer, tasks, devices=devices).values())
        written.append([task.target.read_bytes() for task in tasks])
    assert written[0] == written[1]
    assert [count for count, _ in batches] == [4] * 6  # ten are three batches of one length, the last filled up
    assert {device for _, device in batches[:3]} == {0}
    assert len({device for _, device in batches[3:]}) > 1
    for task in tasks:
        alone = restorer.restore_picture(read_image(task.source)).pixels
        assert np.abs(read_image(task.target).pixels.astype(int) - alone).max() <= 1  # where float noise decides how a half is rounded


def test_the_memory_bounds_a_batch(tmp_path, batches):
    restorer, pixels = random_restorer(memory="10MB"), 64 * 64
    room = restorer.at_once(64, 64, 3, 64)
    needed = restorer.engine._bytes_per_pixel * pixels
    assert 1 < room < 64
    assert room * needed <= 10e6 < 2 * room * needed
    assert random_restorer(memory="10GB").at_once(64, 64, 3, 64) == 64
    tasks = pictures(tmp_path, [(6, 5, 3)] * 4)
    assert not any(done(random_restorer(memory=int(2.5 * 30 * needed / pixels)), tasks, devices=jax.local_devices()[:1]).values())
    assert [count for count, _ in batches] == [2, 2]


def test_kinds_of_one_size_do_not_mix(tmp_path, batches):
    tasks = pictures(tmp_path, [(6, 5, 3), (6, 5, 1), (6, 5, 4), (6, 5, 3)])
    restorer = Restorer(Gain((0.5, 0.25, 2.0)), {})
    assert not any(done(restorer, tasks).values())
    assert sorted(count for count, _ in batches) == [1, 1, 4]  # of four that were planned, two are alike
    for task in tasks:
        np.testing.assert_array_equal(read_image(task.target).pixels, restorer.restore_picture(read_image(task.source)).pixels)


def test_a_bad_file_fails_alone_and_is_named(tmp_path, batches):
    tasks = pictures(tmp_path, [(6, 5, 3)] * 4)
    tasks[1].source.write_bytes(tasks[1].source.read_bytes()[:60])  # the header is whole: it is in the batch of the others
    tasks[3].source.write_bytes(b"")
    outcomes = done(Restorer(Identity(), {}), tasks)
    assert [isinstance(outcomes[n], InputError) for n in range(4)] == [False, True, False, True]
    assert "1.png" in str(outcomes[1])
    assert [task.target.exists() for task in tasks] == [True, False, True, False]
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".tmp"]


def test_a_picture_that_cannot_be_written_fails_alone(tmp_path, batches, monkeypatch):
    tasks = pictures(tmp_path, [(6, 5, 3)] * 3)
    whole = Path.write_bytes

    def full(self, data):
        if ".1.png" not in self.name:
            return whole(self, data)
        whole(self, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    outcomes = done(Restorer(Identity(), {}), tasks)
    assert "1.png cannot be written: No space left on device" in str(outcomes[1])
    assert sorted(path.name for path in tasks[0].target.parent.iterdir()) == ["0.png", "2.png"]
    assert (outcomes[0], outcomes[2]) == (None, None)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory")], ids=repr)
def test_a_batch_without_memory_is_tried_picture_by_picture(tmp_path, monkeypatch, error):
    tasks = pictures(tmp_path, [(6, 5, 3)] * 3)
    together, bad = Restorer.restore_pictures, read_image(tasks[1].source).pixels

    def limited(self, given):
        if len(given) > 1 or np.array_equal(given[0].pixels, bad):
            raise error
        return together(self, given)

    monkeypatch.setattr(Restorer, "restore_pictures", limited)
    assert done(Restorer(Identity(), {}), tasks) == {0: None, 1: error, 2: None}


def test_a_fault_of_the_program_is_no_failure_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(Restorer, "restore_pictures", lambda self, given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        done(Restorer(Identity(), {}), pictures(tmp_path, [(2, 2, 3)]))


def test_reading_and_writing_go_on_while_a_batch_computes(tmp_path, monkeypatch):
    """The second batch cannot end before the fourth is read and the first written, nor is the whole folder read meanwhile."""
    tasks = pictures(tmp_path, [(6, 5, 3)] * 12)
    monkeypatch.setitem(folder._BATCH_PIXELS, "cpu", 1)
    read, computed, together, decode = [], [], Restorer.restore_pictures, folder.read_image
    fourth, more = threading.Event(), threading.Event()

    def reading(path, **options):
        read.append(path)
        if len(read) >= 3:
            fourth.set()
        if len(read) > 6:
            more.set()
        return decode(path, **options)

    def restoring(self, given):
        computed.append(None)
        if len(computed) == 2:
            assert fourth.wait(30)
            assert not more.wait(0.2)
        return together(self, given)

    monkeypatch.setattr(folder, "read_image", reading)
    monkeypatch.setattr(Restorer, "restore_pictures", restoring)
    assert not any(done(Restorer(Identity(), {}), tasks, devices=jax.local_devices()[:1]).values())


def test_a_large_picture_is_in_memory_alone(tmp_path, monkeypatch):
    tasks = pictures(tmp_path, [(6, 5, 3), (7, 5, 3), (8, 5, 3)])
    monkeypatch.setattr(folder, "_PIXELS_IN_FLIGHT", 40)
    inside, most, decode = set(), [], folder.read_image

    def reading(path, **options):
        inside.add(path.name)
        most.append(len(inside))
        return decode(path, **options)

    monkeypatch.setattr(folder, "read_image", reading)
    for place, failure in restore_files(Restorer(Identity(), {}), tasks):
        assert failure is None
        inside.discard(tasks[place].source.name)
    assert most == [1, 1, 1]


def test_every_picture_has_its_own_mask(tmp_path, batches):
    tasks = pictures(tmp_path, [(6, 5, 3)] * 3)
    (tmp_path / "masks").mkdir()
    for n, task in enumerate(tasks[:2]):
        mask = np.zeros((6, 5, 1), np.uint8)
        mask[n] = 255
        write_image(tmp_path / "masks" / task.source.name, Picture(mask))
    outcomes = done(Restorer(Painter(), {}), tasks, masks=tmp_path / "masks")
    assert "no mask for 2.png" in str(outcomes[2])
    for n, task in enumerate(tasks[:2]):
        expected = read_image(task.source).pixels.copy()
        expected[n] = 255
        np.testing.assert_array_equal(read_image(task.target).pixels, expected)
