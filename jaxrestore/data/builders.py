"""Folders of pictures turned into one file with random access: a plain ArrayRecord file, or a TensorFlow dataset, without TensorFlow.

Both hold the pixels exactly as the sources of `sources` give them. An ArrayRecord file of raw pixels is the fastest to train from; a
TensorFlow dataset can be read by other programs too.

    write_array_record(ImageFolder("photographs"), "photographs.array_record")
    folder = build_tfds(ImageFolder("photographs"), "datasets", name="photographs")
    TFDSImages(folder, "train[:90%]")
"""

import io
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from array_record.python.array_record_module import ArrayRecordWriter

from jaxrestore.data.images import Picture, encode
from jaxrestore.data.sources import ImageFolder, PairedFolders, pack
from jaxrestore.errors import InputError


def write_array_record(
    source: ImageFolder | PairedFolders | str | Path, destination: str | Path, *, compression: str = "uncompressed"
) -> Path:
    """Write all images of a source into one ArrayRecord file, for `ArrayRecordImages`.

    Args:
      source: a folder of pictures, or a source with the channels and bits to keep.
      destination: the file; one that exists is replaced.
      compression: "uncompressed", or "zstd:1", a fifth smaller for photographs and slower to read.

    Returns:
      The destination.

    Raises:
      InputError: a picture is bad, or the file cannot be written.
    """
    source = source if isinstance(source, ImageFolder | PairedFolders) else ImageFolder(source, cache="none")
    destination = Path(destination)
    if not destination.parent.is_dir():
        raise InputError(f"{destination} cannot be written: there is no folder {destination.parent}")
    temporary = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}.tmp")
    try:
        # One image a group, so that reading one decompresses one.
        writer = ArrayRecordWriter(str(temporary), options=f"group_size:1,{compression}")
        for index in range(len(source)):
            writer.write(pack(source[index]))
        writer.write(json.dumps({"names": source.names}).encode())
        writer.close()
        os.replace(temporary, destination)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{destination} cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return destination


def build_tfds(source: ImageFolder | PairedFolders | str | Path, data_dir: str | Path, *, name: str) -> Path:
    """Write all images of a source as a TensorFlow dataset in ArrayRecord files, for `TFDSImages`.

    Its only split is "train"; its features are "image", "name", and for pairs "degraded".

    Args:
      source: a folder of pictures, or a source with the channels and bits to keep.
      data_dir: where TensorFlow datasets are kept.
      name: of this one; it is found as `restoration_images/<name>`. One that exists is kept as it is.

    Returns:
      The folder of the dataset.

    Raises:
      InputError: a picture is bad.
    """
    source = source if isinstance(source, ImageFolder | PairedFolders) else ImageFolder(source, cache="none")
    builder = RestorationImages(config=SourceConfig(name=name, source=source), data_dir=str(data_dir), file_format="array_record")
    builder.download_and_prepare()
    return Path(builder.data_dir)


@dataclass(eq=False, kw_only=True)
class SourceConfig(tfds.core.BuilderConfig):
    """Which images a dataset is built from.

    Attributes:
      source: the images, with the channels and bits that are kept.
    """

    source: Any = None


class RestorationImages(tfds.core.GeneratorBasedBuilder):
    """A TensorFlow dataset of the images of a folder, or of pairs, from this machine."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Any:
        source = self.builder_config.source
        first = source[0]
        features: dict[str, Any] = {"name": tfds.features.Text()}
        for name, pixels in first.items():
            features[name] = tfds.features.Image(shape=(None, None, pixels.shape[-1]), dtype=pixels.dtype.type, encoding_format="png")
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features), description="Images for restoration.")

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        del dl_manager
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        source = self.builder_config.source
        for index, name in enumerate(source.names):
            # An encoded file object: to encode an array, the feature would need TensorFlow.
            yield name, {"name": name, **{key: io.BytesIO(_png(pixels)) for key, pixels in source[index].items()}}


def _png(pixels: np.ndarray) -> bytes:
    return encode(Picture(pixels), ".png")
