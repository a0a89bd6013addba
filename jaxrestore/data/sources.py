"""Random access to images: folders, pairs of folders, ArrayRecord files, TensorFlow Datasets.

Every source gives {"image": (H, W, channels)}, uint8 unless 16 bits are asked for, upright, without alpha; pairs also give "degraded". Grey
becomes RGB by repetition; RGB becomes one channel by rounding, of grey (0.299 R + 0.587 G + 0.114 B, BT.601 over the full range) or of
luma (BT.601 in the studio range, 16 to 235). 16 bits become 8 by rounding, 8 become 16 exactly. Sources can be pickled for worker
processes, each of which has a cache of its own.
"""

import io
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from jaxrestore.data.images import SUFFIXES, Picture, by_stem, find_images, from_float, read_image, read_size, to_float, upright
from jaxrestore.errors import InputError
from jaxrestore.ops.color import ONE_CHANNEL

CACHES = ("memory", "none")
CACHE_BYTES = 1 << 30
"""Decoded images that a source keeps, in each process, unless told otherwise."""

Record = dict[str, np.ndarray]


def convert(pixels: np.ndarray, channels: int, bits: int, color: str = "gray") -> np.ndarray:
    """Pixels as stored, with another number of channels and bits.

    Args:
      pixels: (H, W, 1 grey, 2 grey and alpha, 3 RGB or 4 RGBA), uint8, uint16, or float32 in [0, 1].
      channels: 1 for grey or luma, or 3 for RGB.
      bits: 8 or 16.
      color: what RGB becomes in one channel, "gray" or "luma"; one channel is taken to be that already.
    """
    pixels = Picture(pixels).color
    if channels == 1 and pixels.shape[-1] == 3:
        weights, offset = ONE_CHANNEL[color]
        top = 1.0 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
        exact = pixels.astype(np.float64) @ weights[:, None] + offset * top
        pixels = exact.astype(np.float32) if pixels.dtype.kind == "f" else np.floor(exact + 0.5).astype(pixels.dtype)
    elif channels == 3 and pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    dtype = {8: np.uint8, 16: np.uint16}[bits]
    return pixels if pixels.dtype == dtype else from_float(to_float(pixels), dtype)


class _Source:
    """What all sources have in common: names, conversion, a cache.

    The cache keeps what comes first and lets nothing go: in a shuffled epoch every image is used once, so that replacing one by another
    would not raise the share that is found.
    """

    def __init__(self, names: Sequence[str], channels: int, bits: int, cache: str, cache_bytes: int, color: str) -> None:
        if channels not in (1, 3):
            raise InputError(f"channels is {channels}; it must be 1 (grey or luma) or 3 (RGB)")
        if color not in ONE_CHANNEL:
            raise InputError(f"color is {color!r}; it must be one of {', '.join(ONE_CHANNEL)}")
        if bits not in (8, 16):
            raise InputError(f"bits is {bits}; it must be 8 or 16")
        if cache not in CACHES:
            raise InputError(f"cache is {cache!r}; it must be one of {', '.join(CACHES)}")
        self.names = tuple(names)
        self._channels = channels
        self._color = color
        self._bits = bits
        self._room = cache_bytes if cache == "memory" else 0
        self._cache: dict[int, Record] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: SupportsIndex) -> Record:
        place = int(index)
        if not 0 <= place < len(self):
            raise IndexError(f"{self!r} has no record {place}")
        found = self._cache.get(place)
        if found is not None:
            return dict(found)
        wanted = self._channels, self._bits, self._color
        record = {name: np.ascontiguousarray(convert(pixels, *wanted)) for name, pixels in self._load(place).items()}
        size = sum(pixels.nbytes for pixels in record.values())
        with self._lock:
            if size <= self._room and place not in self._cache:
                for pixels in record.values():
                    pixels.setflags(write=False)
                self._room -= size
                self._cache[place] = record
        return dict(record)

    def __iter__(self) -> Iterator[Record]:
        return (self[index] for index in range(len(self)))

    def _load(self, index: int) -> Mapping[str, np.ndarray]:
        raise TypeError(f"{type(self).__name__} loads nothing")

    def _says(self, *what: Any) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, what))}, images={len(self)}, channels={self._channels}, bits={self._bits})"

    def __getstate__(self) -> dict[str, Any]:
        kept = sum(pixels.nbytes for record in self._cache.values() for pixels in record.values())
        return {**self.__dict__, "_cache": {}, "_lock": None, "_room": self._room + kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


class ImageFolder(_Source):
    """The pictures of a folder.

    Args:
      folder: where they are.
      channels: 1 for grey or luma, 3 for RGB.
      bits: 8 or 16 bits a sample.
      recursive: whether subfolders are searched too.
      cache: "memory" keeps decoded images, up to `cache_bytes` in each process; "none" decodes each time.
      cache_bytes: bound of the cache.
      color: what colour becomes with one channel: "gray", or "luma" of the studio range.

    Raises:
      InputError: there are no pictures, or one that is asked for is bad.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        channels: int = 3,
        bits: int = 8,
        recursive: bool = False,
        cache: str = "memory",
        cache_bytes: int = CACHE_BYTES,
        color: str = "gray",
    ) -> None:
        self._folder = Path(folder)
        self._paths = find_images(folder, recursive=recursive)
        names = [path.relative_to(self._folder).with_suffix("").as_posix() for path in self._paths]
        super().__init__(names, channels, bits, cache, cache_bytes, color)

    def _load(self, index: int) -> Mapping[str, np.ndarray]:
        return {"image": upright(read_image(self._paths[index])).pixels}

    def __repr__(self) -> str:
        return self._says(str(self._folder))


class PairedFolders(_Source):
    """Degraded pictures and their clean originals, matched by file name without suffix.

    The clean picture is as large as the degraded one or a whole number of times larger, the same for all. A degraded name may end in its
    scale, as in DIV2K: 0001x4.png belongs to 0001.png.

    Args:
      degraded: folder of the degraded pictures.
      clean: folder of the clean ones.
      channels: 1 for grey or luma, 3 for RGB.
      bits: 8 or 16 bits a sample.
      cache: "memory" or "none", as in `ImageFolder`.
      cache_bytes: bound of the cache in each process.
      color: what colour becomes with one channel: "gray", or "luma" of the studio range.

    Raises:
      InputError: a picture has no partner, or a pair does not fit in size; both are named.
    """

    def __init__(
        self,
        degraded: str | Path,
        clean: str | Path,
        *,
        channels: int = 3,
        bits: int = 8,
        cache: str = "memory",
        cache_bytes: int = CACHE_BYTES,
        color: str = "gray",
    ) -> None:
        self._folders = Path(degraded), Path(clean)
        originals = by_stem(find_images(clean))
        self._pairs: dict[str, tuple[Path, Path]] = {}
        for stem, path in by_stem(find_images(degraded)).items():
            name = stem if stem in originals else _without_scale(stem)
            if name not in originals:
                raise InputError(f"{path} has no partner in {clean}: there is no {stem} with any of {', '.join(SUFFIXES)}")
            if name in self._pairs:
                raise InputError(f"{path} and {self._pairs[name][0]} both belong to {originals[name]}")
            self._pairs[name] = path, originals[name]
        for name, path in originals.items():
            if name not in self._pairs:
                raise InputError(f"{path} has no partner in {degraded}: there is no {name} with any of {', '.join(SUFFIXES)}")
        self.scale = self._check_sizes()
        super().__init__(sorted(self._pairs), channels, bits, cache, cache_bytes, color)

    def _check_sizes(self) -> int:
        first = None
        for degraded, clean in self._pairs.values():
            (height, width), (large_height, large_width) = read_size(degraded), read_size(clean)
            scale = max(large_height // height, 1)
            if (height * scale, width * scale) != (large_height, large_width):
                raise InputError(
                    f"{degraded} is {width}x{height} and {clean} is {large_width}x{large_height}: "
                    "a pair must be of one size or a whole number of times apart; crop them to fit"
                )
            first = first or scale
            if scale != first:
                raise InputError(f"{clean} is {scale} times as large as {degraded}, the pairs before it {first} times: keep scales apart")
        return first or 1

    def _load(self, index: int) -> Mapping[str, np.ndarray]:
        degraded, clean = self._pairs[self.names[index]]
        return {"image": upright(read_image(clean)).pixels, "degraded": upright(read_image(degraded)).pixels}

    def __repr__(self) -> str:
        return self._says(*map(str, self._folders))


class UnpairedFolders:
    """Degraded pictures and clean ones that do not belong together; a training stream draws from each in an order of its own.

    Args:
      degraded: folder of the degraded pictures.
      clean: folder of the clean ones.
      **options: of both, as in `ImageFolder`.

    Attributes:
      degraded: the degraded pictures, an `ImageFolder`.
      clean: the clean ones.

    Raises:
      InputError: as `ImageFolder`.
    """

    def __init__(self, degraded: str | Path, clean: str | Path, **options: Any) -> None:
        self.degraded, self.clean = ImageFolder(degraded, **options), ImageFolder(clean, **options)

    def __len__(self) -> int:
        return min(len(self.degraded), len(self.clean))

    def __repr__(self) -> str:
        return f"UnpairedFolders({self.degraded!r}, {self.clean!r})"


class ArrayRecordImages(_Source):
    """Images in an ArrayRecord file that `builders.write_array_record` wrote.

    Args:
      path: the file.
      channels: 1 for grey or luma, 3 for RGB.
      bits: 8 or 16 bits a sample.
      cache: "memory" or "none", as in `ImageFolder`.
      cache_bytes: bound of the cache in each process.
      color: what colour becomes with one channel: "gray", or "luma" of the studio range.

    Raises:
      InputError: the file is missing or holds something else.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        channels: int = 3,
        bits: int = 8,
        cache: str = "memory",
        cache_bytes: int = CACHE_BYTES,
        color: str = "gray",
    ) -> None:
        self._path = Path(path)
        self._reader: Any = None
        if not self._path.is_file():
            raise InputError(f"{path} {'is not a file' if self._path.exists() else 'does not exist'}: name an ArrayRecord file")
        try:
            count = self._open().num_records()
            names = json.loads(self._read(count - 1))["names"]
        except (RuntimeError, ValueError, KeyError, TypeError, IndexError) as error:
            raise InputError(f"{path} is not an ArrayRecord file of images: write one with write_array_record") from error
        super().__init__(names, channels, bits, cache, cache_bytes, color)

    def _open(self) -> Any:
        if self._reader is None:
            from array_record.python.array_record_module import ArrayRecordReader

            self._reader = ArrayRecordReader(str(self._path), options="readahead_buffer_size:0")
        return self._reader

    def _read(self, index: int) -> bytes:
        return self._open().read([index])[0]

    def _load(self, index: int) -> Mapping[str, np.ndarray]:
        return unpack(self._read(index))

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_reader": None}

    def __repr__(self) -> str:
        return self._says(str(self._path))


class TFDSImages(_Source):
    """Images of a TensorFlow dataset in a format with random access (ArrayRecord), read without TensorFlow.

    Args:
      name: folder of a prepared dataset (`.../name/config/version`), or the name of a dataset ("div2k/bicubic_x4") prepared under
        TFDS_DATA_DIR or `data_dir`.
      split: as TFDS writes it: "train", "train[:90%]".
      channels: 1 for grey or luma, 3 for RGB.
      image: the feature that holds the clean image; by default the first of "image" and "hr" that there is.
      degraded: the feature that holds the degraded one; by default "degraded" or "lr" where there is one, else there are no pairs.
      bits: 8 or 16 bits a sample.
      cache: "memory" or "none", as in `ImageFolder`.
      cache_bytes: bound of the cache in each process.
      color: what colour becomes with one channel: "gray", or "luma" of the studio range.
      data_dir: where prepared datasets are, for names.

    Raises:
      InputError: no such dataset, split or feature.
    """

    def __init__(
        self,
        name: str | Path,
        split: str = "train",
        *,
        channels: int = 3,
        image: str | None = None,
        degraded: str | None = None,
        bits: int = 8,
        cache: str = "memory",
        cache_bytes: int = CACHE_BYTES,
        color: str = "gray",
        data_dir: str | Path | None = None,
    ) -> None:
        self._name, self._split = str(name), split
        self._data_dir = None if data_dir is None else str(data_dir)
        self._data: Any = None
        try:
            data = self._open()
        except Exception as error:  # of many kinds: unknown names, no such split, a format without random access
            reason = " ".join(str(error).split()).split(". ")[0]
            raise InputError(f"{name}: no dataset with the split {split!r} in a format with random access: {reason}") from error
        features = list(data.dataset_info.features)
        self._features = {"image": _feature(self._name, features, image, ("image", "hr"))}
        partner = degraded or next((known for known in ("degraded", "lr") if known in features), None)
        if partner is not None:
            self._features["degraded"] = _feature(self._name, features, partner, ())
        super().__init__([str(index) for index in range(len(data))], channels, bits, cache, cache_bytes, color)

    def _open(self) -> Any:
        if self._data is None:
            import tensorflow_datasets as tfds

            if (Path(self._name) / "dataset_info.json").is_file():
                self._data = tfds.builder_from_directory(self._name).as_data_source(split=self._split)
            else:
                self._data = tfds.data_source(self._name, split=self._split, data_dir=self._data_dir, download=False)
        return self._data

    def _load(self, index: int) -> Mapping[str, np.ndarray]:
        record = self._open()[index]
        return {ours: np.asarray(record[theirs]) for ours, theirs in self._features.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_data": None}

    def __repr__(self) -> str:
        return self._says(self._name, self._split)


def pack(pixels: Mapping[str, np.ndarray]) -> bytes:
    """Images as the bytes of one record: a line of JSON with names, shapes and types, then the pixels."""
    head = {name: [array.dtype.str, list(array.shape)] for name, array in pixels.items()}
    return json.dumps(head).encode() + b"\n" + b"".join(np.ascontiguousarray(array).tobytes() for array in pixels.values())


def unpack(record: bytes) -> Record:
    """The images that `pack` packed."""
    stream = io.BytesIO(record)
    head = json.loads(stream.readline())
    at, arrays = stream.tell(), {}
    for name, (dtype, shape) in head.items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(record, np.dtype(dtype), count, at).reshape(shape)
        at += arrays[name].nbytes
    return arrays


def _feature(dataset: str, features: list[str], asked: str | None, usual: tuple[str, ...]) -> str:
    found = next((name for name in ((asked,) if asked else usual) if name in features), None)
    if found is None:
        raise InputError(f"{dataset} has no feature {asked or ' or '.join(usual)!r}; it has {', '.join(features)}")
    return found


def _without_scale(stem: str) -> str:
    head, separator, scale = stem.rpartition("x")
    return head if separator and scale.isdigit() else stem
