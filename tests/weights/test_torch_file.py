"""The reader of torch files: against real files, against both layouts written by hand, and against hostile ones."""

import hashlib
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.weights.torch_file import read, state_of
from tests.shared import SHARED, needs_testdata
from tests.weights.torch_bytes import TYPES, WRITERS, Tensor, integer, integers, state_dict, tensor, text, wrapped, write_arrays, write_zip

# SHA-256 over name, type, shape and bytes of every tensor, as torch 2.13 (`torch.load(..., weights_only=True)`) reads these files.
REAL = {
    "carn_m/carn_m.pth": "6243d52e451c3cc8",
    "dncnn/DnCNN-B_net.pth": "a2c3345e74b4a4cf",
    "dncnn/DnCNN-S-25_net.pth": "dcd38ad9746cb55d",
    "dncnn/dncnn_25.pth": "3f3e5db238e329f4",
    "espcn/ESPCN-x3.pt": "c7a7b4f0e6896315",
    "espcn/ESPCN-x4.pt": "1c9b12ac26b9c7e9",
    "imdn/IMDN_x2.pth": "a43938b54f19110a",
    "imdn/IMDN_x4.pth": "bc2a6e1c9d7f76de",
    "lpips/alex.pth": "e76b153fe38d4393",
    "lpips/squeeze.pth": "376fe1cbfc781dc4",
    "lpips/vgg.pth": "29111e613b941aa5",
    "srcnn/weights.pkl": "71d89b8d5a885326",
    "unet_n2n/n2n-gaussian.pt": "8e2d10960fd38552",
}


@needs_testdata
@pytest.mark.parametrize("name", REAL)
def test_real_files_equal_what_torch_reads(name):
    digest = hashlib.sha256()
    for key, value in read(SHARED / "testdata" / "weights" / name).items():
        digest.update(f"{key} {value.dtype} {value.shape}".encode() + value.tobytes())
    assert digest.hexdigest()[:16] == REAL[name]


BASE = np.arange(24, dtype=np.float32)
VIEWS = {
    "whole": (Tensor("0", 0, (4, 6), (6, 1)), BASE.reshape(4, 6)),
    "transposed": (Tensor("0", 0, (6, 4), (1, 6)), BASE.reshape(4, 6).T),
    "sliced": (Tensor("0", 6, (2, 3), (6, 2)), BASE.reshape(4, 6)[1:3, ::2]),
    "parameter": (Tensor("0", 20, (4,), (1,)), BASE[20:]),
    "scalar": (Tensor("0", 5, (), ()), np.float32(5.0)),
    "empty": (Tensor("0", 0, (0, 3), (3, 1)), np.zeros((0, 3), np.float32)),
}


@pytest.mark.parametrize("layout", WRITERS)
def test_views_of_a_shared_storage(tmp_path, layout):
    storages = {"0": BASE}
    program = state_dict({name: view for name, (view, _) in VIEWS.items()}, storages, layout == "legacy")
    found = read(WRITERS[layout](tmp_path / "views.pth", program, storages))
    assert list(found) == list(VIEWS)
    for name, (_, expected) in VIEWS.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("layout", WRITERS)
def test_every_type_of_number(tmp_path, layout):
    arrays = {name: np.array([[0, 1], [1, 0], [1, 1]]).astype(ml_dtypes.bfloat16 if name == "bfloat16" else name) for name in TYPES}
    found = read(write_arrays(tmp_path / "types.pt", arrays, layout))
    for name, expected in arrays.items():
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.parametrize("layout", WRITERS)
@pytest.mark.parametrize("key", ["state_dict", "params", "model", "something_else"])
def test_wrapped_state(tmp_path, layout, key):
    storages = {"0": BASE}
    inner = state_dict({"a.weight": VIEWS["whole"][0]}, storages, layout == "legacy")
    found = read(WRITERS[layout](tmp_path / "w.pth", wrapped(key, inner), storages))
    assert list(found) == ["a.weight"]


def test_averaged_parameters_come_first():
    one, other = {"w": np.ones(1)}, {"w": np.zeros(1)}
    assert state_of({"params": one, "params_ema": other}) is not one
    assert state_of({"params": one, "params_ema": other})["w"] == 0
    assert state_of({"epoch": 1, "model": {"state_dict": one}, "optimizer": {"state": {}}}) == one
    with pytest.raises(InputError, match="holds no state dict of its own"):
        state_of({"encoder": one, "decoder": other})
    with pytest.raises(InputError, match="holds a list"):
        state_of([1])


@pytest.mark.parametrize("protocol", range(6))
def test_plain_pickle_of_numpy_arrays(tmp_path, protocol):
    arrays = {
        "a": np.arange(6, dtype="f4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.arange(3, dtype=">i4"),
    }
    tree = {"state_dict": OrderedDict(arrays), "best": np.float64(30.1), "milestones": Counter([3]), "seen": {1, 2}, "note": "x"}
    path = tmp_path / "arrays.pkl"
    path.write_bytes(pickle.dumps(tree, protocol=protocol))
    found = read(path)
    assert list(found) == list(arrays)
    for name, expected in arrays.items():
        np.testing.assert_array_equal(found[name], expected)


class Hostile:
    """A pickle of this calls whatever it was given."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


def hostile_programs(sentinel) -> dict[str, bytes]:
    touch = f"touch {sentinel}"
    code = f"__import__('os').mkdir({str(sentinel)!r})"
    word = text(code)
    programs = {
        "os.system": b"cposix\nsystem\n(" + text(touch) + b"tR",
        "builtins.eval": b"cbuiltins\neval\n(" + word + b"tR",
        "stack_global": text("builtins") + text("exec") + b"\x93(" + word + b"tR",
        "inst": b"(" + word + b"ibuiltins\nexec\n",
        "obj": b"(cbuiltins\nexec\n" + word + b"o",
        "newobj": b"cbuiltins\nexec\n(" + word + b"t\x81",
        "newobj_ex": b"cbuiltins\nexec\n(" + word + b"t}\x92",
        "extension": b"\x82\x01",
        "dotted": text("numpy") + text("ndarray.__class__") + b"\x93",
        "getattr": b"cbuiltins\ngetattr\n",
        "torch.hub": b"ctorch.hub\nload\n",
        "nested pickle": b"ctorch.storage\n_load_from_bytes\n(" + text("x") + b"tR",
        "numpy loader": b"cnumpy\nload\n(" + text("x") + b"tR",
        "call of a name": b"ctorch\nTensor\n)R",
        "call of text": text("exec") + b"(" + word + b"tR",
        "state of a function": b"ctorch._utils\n_rebuild_tensor_v2\n}" + text("__code__") + text("x") + b"sb",
        "object array": b"cnumpy\ndtype\n(" + text("O") + b"tR",
    }
    # What a real pickler writes for an object whose reduction calls code, in every protocol.
    for protocol in range(6):
        programs[f"reduce, protocol {protocol}"] = pickle.dumps(Hostile(exec, (code,)), protocol)[:-1]
        programs[f"inside a dictionary, protocol {protocol}"] = pickle.dumps({"weight": np.ones(2), "x": Hostile(eval, (code,))}, protocol)[
            :-1
        ]
    return programs


@pytest.mark.parametrize("layout", [*WRITERS, "plain"])
def test_hostile_pickles_are_refused_and_run_nothing(tmp_path, layout):
    sentinel = tmp_path / "sentinel"
    for name, program in hostile_programs(sentinel).items():
        path = tmp_path / "hostile.pth"
        if layout == "plain":
            path.write_bytes(program + b".")
        else:
            WRITERS[layout](path, b"}" + text("weight") + program + b"s", {})
        with pytest.raises(InputError, match=r"hostile\.pth") as caught:
            read(path)
        assert "TypeCheck" not in str(caught.value)
        assert not sentinel.exists(), name


def test_the_hostile_pickles_do_run_in_an_ordinary_unpickler(tmp_path):
    # Otherwise the test above would prove nothing.
    for name in ("os.system", "builtins.eval", "stack_global", "inst", "obj", "reduce, protocol 0", "reduce, protocol 5"):
        sentinel = tmp_path / name.replace(" ", "_").replace(",", "")
        pickle.loads(hostile_programs(sentinel)[name] + b".")
        assert sentinel.exists(), name


def test_the_refused_name_is_said(tmp_path):
    path = write_zip(tmp_path / "model.pth", b"ctorch.nn.modules.container\nSequential\n)\x81", {})
    with pytest.raises(
        InputError, match=r"model\.pth: asks for torch\.nn\.modules\.container\.Sequential.*save its state_dict\(\) alone"
    ) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(text("os\x1b[31m\n") + text("system") + b"\x93.")
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).isprintable()


def test_bombs(tmp_path):
    deep = b")" + b"\x85" * 100_000
    wide = b")" + b"2\x86" * 60  # a tuple of itself twice, sixty times over: 2**60 elements to whoever walks it
    for program in (
        deep,
        wide,
        b"}" + wide + b"Ns",
        b"ccollections\nOrderedDict\n((" + wide + b"N\x86ltR",
        b"ctorch\ndevice\n" + wide + b"R",
        b"cnumpy\ndtype\n(" + wide + b"tR",
        b"r\xff\xff\xff\xff",
        b"N" + b"r\xff\xff\xff\xff",
        b"\x8e" + struct.pack("<Q", 2**62) + b"x",
        b"\x8b" + struct.pack("<i", 2**31 - 1) + b"x",
    ):
        path = write_zip(tmp_path / "bomb.pth", program, {})
        with pytest.raises(InputError, match=r"bomb\.pth"):
            read(path)


def test_a_compressed_bomb(tmp_path):
    path = tmp_path / "bomb.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(40 * 2**20))
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="would unpack to"):
        read(path)


@pytest.mark.parametrize(
    "view",
    [
        Tensor("0", 0, (5, 6), (6, 1)),
        Tensor("0", -1, (2,), (1,)),
        Tensor("0", 20, (5,), (1,)),
        Tensor("0", 23, (2,), (-1,)),
        Tensor("0", 0, (-1,), (1,)),
        Tensor("0", 0, (2**30, 2**30), (0, 0)),
    ],
    ids=str,
)
@pytest.mark.parametrize("layout", WRITERS)
def test_a_tensor_beyond_its_storage(tmp_path, layout, view):
    storages = {"0": BASE}
    path = WRITERS[layout](tmp_path / "x.pth", state_dict({"w": view}, storages, layout == "legacy"), storages)
    with pytest.raises(InputError, match="beyond its storage"):
        read(path)


def test_other_things_that_are_not_weights(tmp_path):
    path = tmp_path / "script.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("script/data.pkl", b"\x80\x02}.")
        archive.writestr("script/constants.pkl", b"\x80\x02).")
    with pytest.raises(InputError, match="TorchScript"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.txt", "hello")
    with pytest.raises(InputError, match="without a torch checkpoint"):
        read(path)
    path = write_zip(path, b"}" + text("w") + tensor(Tensor("0", 0, (1,), (1,)), {"0": BASE}, False) + b"s", {})
    with pytest.raises(InputError, match="archive/data/0"):
        read(path)
    path = write_zip(path, b"(" + text("storage") + text("x") + text("0") + text("cpu") + integer(3) + b"tQ" + integers(()), {})
    with pytest.raises(InputError, match="unexpected reference"):
        read(path)


@pytest.mark.parametrize("layout", WRITERS)
@settings(deadline=None, max_examples=60, database=None)
@given(data=st.data())
def test_a_cut_file_is_always_an_input_error(tmp_path_factory, layout, data):
    folder = tmp_path_factory.mktemp("cut")
    whole = write_arrays(folder / "whole.pth", {"a.weight": np.ones((3, 2, 3, 3), np.float32), "a.bias": np.ones(3)}, layout).read_bytes()
    path = folder / "cut.pth"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(InputError, match=r"cut\.pth"):
        read(path)


@pytest.mark.parametrize("layout", WRITERS)
@settings(deadline=None, max_examples=100, database=None)
@given(data=st.data())
def test_a_changed_byte_is_read_or_an_input_error(tmp_path_factory, layout, data):
    folder = tmp_path_factory.mktemp("changed")
    path = write_arrays(folder / "changed.pth", {"a.weight": np.ones((2, 2), np.float32), "a.bias": np.ones(3)}, layout)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    message = ""
    try:
        read(path)
    except InputError as error:
        message = str(error)
    assert message.startswith(str(path) if message else "")
    assert "\n" not in message
    assert "TypeCheck" not in message
