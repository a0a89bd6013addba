"""A card says what a published configuration is, where it comes from, and what it should score."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import flax.linen as nn

TASKS = (
    "super_resolution",
    "denoising",
    "deblurring",
    "inpainting",
    "jpeg",
    "restoration",
    "translation",
    "generation",
    "video",
    "segmentation",
    "classification",
    "discrimination",
)
"""What networks are for; "discrimination" is judging images, the part of a partner in adversarial training."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Form:
    """Another form in which the same network is published: with its normalisation merged away, without biases...

    Attributes:
      fields: the module's fields that differ from the card's.
      parameters: trainable parameters of this form.
      reference: who publishes weights in this form.
    """

    fields: Mapping[str, Any]
    parameters: int
    reference: str


@dataclass(frozen=True)
class ModelCard:
    """One published configuration of a network.

    Attributes:
      name: how `create_model` and the command line call it.
      module: its Flax class.
      task: one of `TASKS`.
      paper: address of the paper.
      parameters: published number of trainable parameters (tests hold the real number equal to it).
      fields: the class's fields in this configuration.
      channels: image channels it takes: 3 is RGB, 1 is grey or luma.
      scale: enlargement, 1 where the size is kept.
      scales: the enlargements that one set of weights serves, or that the network is trained for one by one where it takes an image that is
        enlarged already; empty for `scale` alone.
      interpolated: takes the image after bicubic interpolation to the final size.
      multiple: height and width are padded to a multiple of this inside the module.
      blind: for denoisers: needs no noise level.
      reference: repository whose results it equals, with the licence.
      reference_names: `reference_names(model)` gives {our module path: their module name} for weights in the reference's layout.
      reference_ignored: prefixes of the reference's tensors that have no counterpart here.
      published: scores in the literature, {"Set12 sigma 25": 30.436}: PSNR in dB, or (PSNR, SSIM).
      convention: how those scores are measured: the name of a convention in `jaxrestore.metrics`; by default super-resolution's own, on the
        luma of 8-bit pictures without the `scale` outermost pixels ("luma+border{scale}+round8" on a card for several scales).
      forms: other forms of the same network, by name.
      notes: what a user should know.
    """

    name: str
    module: type[nn.Module]
    task: str
    paper: str
    parameters: int
    fields: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    channels: int = 3
    scale: int = 1
    scales: tuple[int, ...] = ()
    interpolated: bool = False
    multiple: int = 1
    blind: bool = False
    reference: str = ""
    reference_names: Callable[[Any], Mapping[str, str]] | None = None
    reference_ignored: tuple[str, ...] = ()
    published: Mapping[str, float | tuple[float, float]] = field(default_factory=lambda: _NOTHING)
    convention: str = ""
    forms: Mapping[str, Form] = field(default_factory=lambda: _NOTHING)
    notes: str = ""

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise ValueError(f"card {self.name}: task {self.task!r} is not one of {', '.join(TASKS)}")
        if self.task == "super_resolution" and not self.convention:
            border = "{scale}" if self.scales else str(self.scale)
            object.__setattr__(self, "convention", f"luma+border{border}+round8")

    def create(self, form: str | None = None, **overrides: Any) -> nn.Module:
        """The network with this card's fields, one of its other forms, and any field overridden."""
        differences = self.forms[form].fields if form else {}
        return self.module(**{**self.fields, **differences, **overrides})
