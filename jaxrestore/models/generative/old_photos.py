"""Bringing old photos back to life: restoration by translation between two latent spaces.

Wan, Zhang, Chen, Zhang, Chen, Liao and Wen, CVPR 2020, https://arxiv.org/abs/2004.09484

    old photo -> encoder of old photos -> mapping -> decoder of clean photos -> restored photo
        |         H/4 x W/4 x 64             ^
        `-> scratch detector -> mask --------'  partial non-local block: scratches become a mean of what is not scratched; for large
                                                photos three patch attentions: scratched patches become others, which costs less

Two variational autoencoders, of old and of clean photos, are trained first; then the mapping alone.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.antialiased_unet import AntialiasedUNet
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.missing import missing_map
from jaxrestore.nn.partial_nonlocal import PartialNonLocal
from jaxrestore.nn.patch_attention import PatchAttention
from jaxrestore.nn.photo_translation import SHRUNK, PhotoDecoder, PhotoEncoder, Translation
from jaxrestore.ops.color import rgb_to_gray
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import ArrayLike, DType, Image

_THRESHOLD = 0.4  # a scratch is where its probability is at least this
_DETECTED_SIDE = 256  # of the shorter side, when scratches are looked for
_DETECTED_MULTIPLE = 16


class OldPhotoVAE(nn.Module):
    """An autoencoder whose latents are the means of normal distributions of variance one.

    Attributes:
      features: channels of the first layer; they double with each halving.
      most_features: where they stop doubling; at most four times `features`, since the last blocks are as wide as the last halving.
      kernel_size: window of the strided convolutions: 4, or 3.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1]. Latents are drawn with `rngs={"noise": key}`, as in training; otherwise they are the
    means. Other sizes than multiples of 4 are continued by reflection and cropped back.
    """

    features: int = 64
    most_features: int = 64
    kernel_size: int = 4
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    multiple = SHRUNK

    def setup(self) -> None:
        """Make both halves."""
        if self.kernel_size not in (3, 4):
            raise InputError(f"kernel_size is {self.kernel_size}: it must be 3 or 4")
        options = dict(features=self.features, most_features=self.most_features, kernel_size=self.kernel_size)
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        self.encoder = PhotoEncoder(**options, **types)
        self.decoder = PhotoDecoder(**options, channels=self.channels, **types)

    def __call__(self, image: Image) -> jax.Array:
        """Encode and decode."""
        latent = self.encode(pad_to_multiple(image, self.multiple, "reflect"))
        if not self.is_initializing():
            self.sow("latents", "mean", latent)
        if self.has_rng("noise"):
            latent = latent + jax.random.normal(self.make_rng("noise"), latent.shape, latent.dtype)
        return crop(self.decode(latent), image.shape[1:3]).astype(image.dtype)

    def encode(self, image: Image) -> jax.Array:
        """Latents (N, H / 4, W / 4, most_features) of an image in [0, 1] whose sides are multiples of 4."""
        return self.encoder(2.0 * image - 1.0)

    def decode(self, latent: Image) -> jax.Array:
        """The image in [0, 1] of latents."""
        return (self.decoder(latent) + 1.0) / 2.0


class LatentMapping(Translation):
    """From latents of old photos to latents of clean ones.

    Attributes:
      latent: channels of the latents.
      features: channels in the middle, at most 16 times `latent`.
      depth: residual blocks.
      dilation: of the first convolution of each block.
      partial_nonlocal: a partial non-local block before the residual ones; then a mask is needed.
      renormalise: of the partial non-local block, like the three that follow: the weights of undamaged places sum to one.
      temperature: scores are divided by it.
      sees_itself: every place counts as undamaged for itself.
      cosine: scores are cosines instead of products.
      patch_sizes: in place of the partial non-local block: sides of the patches of an attention behind each second residual block.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, h, w, latent) and, with either attention, the mask (N, H, W, 1) of the image, true where it is scratched; gives (N, h, w,
    latent).
    """

    latent: int = 64
    features: int = 512
    depth: int = 6
    dilation: int = 1
    partial_nonlocal: bool = False
    renormalise: bool = True
    temperature: float = 1.0
    sees_itself: bool = False
    cosine: bool = False
    patch_sizes: tuple[int, ...] = ()
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct, ...]:
        """A small map of latents."""
        return (jax.ShapeDtypeStruct((1, 8, 8, self.latent), jnp.float32),)

    @nn.compact
    def __call__(self, latent: Image, mask: ArrayLike | None = None) -> jax.Array:
        """Map.

        Raises:
          InputError: a mask is missing, or there are more attentions than the residual blocks have room for.
        """
        if self.patch_sizes and (self.partial_nonlocal or 2 * len(self.patch_sizes) > self.depth):
            raise InputError(f"patch_sizes is {self.patch_sizes}: each needs two of depth = {self.depth} blocks, and no partial_nonlocal")
        widths = [min(self.latent * 2**i, self.features) for i in range(5)]
        x = latent
        for i, width in enumerate(widths[1:]):
            x = self.normalised(x, f"wider_{i}", Conv, width)
        if self.partial_nonlocal or self.patch_sizes:
            if mask is None:
                image = jax.ShapeDtypeStruct((len(latent), *(SHRUNK * n for n in latent.shape[1:3]), 3), latent.dtype)
                mask = missing_map(self, image, None)
            mask = jnp.asarray(mask) != 0
        if self.partial_nonlocal:
            options = dict(renormalise=self.renormalise, temperature=self.temperature, sees_itself=self.sees_itself, cosine=self.cosine)
            x = PartialNonLocal(**options, **self.types, name="nonlocal")(x, mask)
        for i, patch in enumerate(self.patch_sizes):
            x = self.blocks(x, "block", 2, self.dilation, first=2 * i)
            x = PatchAttention(patch, **self.types, name=f"patch_attention_{i}")(x, mask)
        done = 2 * len(self.patch_sizes)
        x = self.blocks(x, "block", self.depth - done, self.dilation, first=done)
        for i, width in enumerate(widths[3:0:-1]):
            x = self.normalised(x, f"narrower_{i}", Conv, width)
        return self.convolution(x, "tail", Conv, self.latent).astype(latent.dtype)


class ScratchDetector(AntialiasedUNet):
    """Says where a grey photo is scratched; `AntialiasedUNet` says what the fields are.

    Takes (N, H, W, channels) in [0, 1], gives logits (N, H, W, 1): a scratch is where their sigmoid is at least 0.4.
    """


class OldPhotoRestorer(nn.Module):
    """The whole way from an old photo to a restored one, without regard to scratches.

    Attributes:
      features: channels of the first layers of the autoencoders.
      most_features: channels of the latents.
      mapping_features: channels in the middle of the mapping.
      depth: residual blocks of the mapping.
      channels: image channels: 3.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1]. Other sizes than multiples of 4 are continued by reflection and cropped back (the
    reference resizes the photo).
    """

    features: int = 64
    most_features: int = 64
    mapping_features: int = 512
    depth: int = 6
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    multiple = SHRUNK

    @nn.compact
    def __call__(self, image: Image) -> jax.Array:
        """Restore."""
        return self._restore(image, None)

    def _restore(self, image: Image, mask: Image | None, **attention: bool | tuple[int, ...]) -> jax.Array:
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        widths = dict(features=self.features, most_features=self.most_features, **types)
        latent = PhotoEncoder(**widths, name="encoder")(2.0 * pad_to_multiple(image, self.multiple, "reflect") - 1.0)
        mapping = LatentMapping(latent.shape[-1], self.mapping_features, self.depth, **attention, **types, name="mapping")
        latent = mapping(latent) if mask is None else mapping(latent, pad_to_multiple(mask, self.multiple, "reflect"))
        x = PhotoDecoder(**widths, channels=self.channels, name="decoder")(latent)
        return crop((x + 1.0) / 2.0, image.shape[1:3]).astype(image.dtype)


class ScratchedPhotoRestorer(OldPhotoRestorer):
    """The whole way for scratched photos: scratches are painted white and filled from what is not scratched.

    Attributes:
      features: channels of the first layers of the autoencoders.
      most_features: channels of the latents.
      mapping_features: channels in the middle of the mapping.
      depth: residual blocks of the mapping.
      detects: scratches are found by a `ScratchDetector` where no mask is given.
      detector_features: channels of the detector's finest scale.
      patch_sizes: for large photos: of the mapping, which then has patch attention in place of the partial non-local block.
      mask_growth: pixels by which scratches are taken to be wider on every side.
      channels: image channels: 3.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and a mask (N, H, W, 1), true where the photo is scratched, gives (N, H, W, channels).
    """

    detects: bool = True
    detector_features: int = 64
    patch_sizes: tuple[int, ...] = ()
    mask_growth: int = 0

    @property
    def finds_mask(self) -> bool:
        """Whether it works without a mask."""
        return self.detects

    @nn.compact
    def __call__(self, image: Image, mask: ArrayLike | None = None) -> jax.Array:
        """Restore.

        Raises:
          InputError: no mask and no detector, or a mask of another size.
        """
        if self.detects and (mask is None or self.is_initializing()):
            detected = self._detect(image)
        scratched = detected if self.detects and mask is None else missing_map(self, image, mask)
        if self.mask_growth:
            side = 2 * self.mask_growth + 1
            scratched = nn.max_pool(scratched.astype(jnp.float32), (side, side), padding="SAME") > 0
        attention = dict(partial_nonlocal=not self.patch_sizes, patch_sizes=self.patch_sizes)
        return self._restore(jnp.where(scratched, 1.0, image), scratched.astype(image.dtype), **attention)

    def _detect(self, image: Image) -> jax.Array:
        height, width = image.shape[1:3]
        shorter = min(height, width)
        size = tuple(round(_DETECTED_SIDE * n / shorter / _DETECTED_MULTIPLE) * _DETECTED_MULTIPLE for n in (height, width))
        gray = interpolate(rgb_to_gray(image), size=(size[0], size[1]))
        detector = ScratchDetector(self.detector_features, dtype=self.dtype, param_dtype=self.param_dtype, name="detector")
        found = nn.sigmoid(detector(gray).astype(jnp.float32)) >= _THRESHOLD
        return interpolate(found.astype(image.dtype), size=(height, width), method="nearest") > 0


def _block_names(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}/conv_0": f"{theirs}.conv_block.1", f"{ours}/conv_1": f"{theirs}.conv_block.5"}


def _encoder_names() -> dict[str, str]:
    names = {"head": "1", "down_0": "4", "down_1": "7"}
    for i in range(4):
        names |= _block_names(f"block_{i}", str(10 + i))
    return names


def _decoder_names() -> dict[str, str]:
    names = {"up_0": "4", "up_1": "7", "tail": "11"}
    for i in range(4):
        names |= _block_names(f"block_{i}", str(i))
    return names


def _mapping_names(depth: int, is_partial: bool, attentions: int) -> dict[str, str]:
    first, last, start = ("before_NL", "after_NL", 0) if is_partial or attentions else ("model", "model", 12)
    names = {f"wider_{i}": f"{first}.{3 * i}" for i in range(4)}
    blocks = [f"before_NL.{12 + i}" for i in range(2 * bool(attentions))]
    blocks += [f"res_block_{pair}.{i}" for pair in range(1, attentions) for i in range(2)]
    rest = depth - len(blocks)
    blocks += [f"{last}.{start + i}" for i in range(rest)]
    for i, block in enumerate(blocks):
        names |= _block_names(f"block_{i}", block)
    names |= {f"narrower_{i}": f"{last}.{start + rest + 3 * i}" for i in range(3)} | {"tail": f"{last}.{start + rest + 9}"}
    for i in range(attentions):
        names |= _block_names(f"patch_attention_{i}/block", f"NL_scale_{i + 1}.res_block.0")
        names[f"patch_attention_{i}/combine"] = f"NL_scale_{i + 1}.F_Combine"
    if is_partial:
        names |= {f"nonlocal/{part}": f"NL.{part}" for part in ("theta", "phi", "g", "W")}
        for i in range(3):
            names |= _block_names(f"nonlocal/block_{i}", f"NL.res_block.{i}")
    return names


def _detector_names(depth: int, convolutions: int) -> dict[str, str]:
    names = {"head": "first.1", "tail": "last.1"}
    for i in range(depth):
        up = depth - 1 - i
        names |= {f"shrink_{i}": f"down_sample.{i}.1", f"shrink_{i}_norm": f"down_sample.{i}.2", f"enlarge_{i}": f"up_path.{up}.up.2"}
        for ours, theirs in ((f"down_{i}", f"down_path.{i}"), (f"up_{i}", f"up_path.{up}.conv_block")):
            for j in range(convolutions):
                names |= {f"{ours}_conv_{j}": f"{theirs}.block.{4 * j + 1}", f"{ours}_conv_{j}_norm": f"{theirs}.block.{4 * j + 2}"}
    return names


def _within(ours: str, theirs: str, names: dict[str, str]) -> dict[str, str]:
    return {f"{ours}/{name}": f"{theirs}.{their}" for name, their in names.items()}


def reference_names(model: OldPhotoVAE | LatentMapping | ScratchDetector | OldPhotoRestorer) -> dict[str, str]:
    """Our module paths -> the module names of microsoft/Bringing-Old-Photos-Back-to-Life; a whole restorer's detector is "detector"."""
    match model:
        case OldPhotoVAE():
            return _within("encoder", "encoder", _encoder_names()) | _within("decoder", "decoder", _decoder_names())
        case LatentMapping():
            return _mapping_names(model.depth, model.partial_nonlocal, len(model.patch_sizes))
        case ScratchDetector():
            return _detector_names(model.depth, model.convolutions)
    scratched = isinstance(model, ScratchedPhotoRestorer)
    names = _within("encoder", "netG_A.encoder", _encoder_names()) | _within("decoder", "netG_B.decoder", _decoder_names())
    patches = len(model.patch_sizes) if scratched else 0
    names |= _within("mapping", "mapping_net", _mapping_names(model.depth, scratched and not patches, patches))
    return names | _within("detector", "detector", _detector_names(4, 2)) if scratched and model.detects else names


# Fixed filters, and in a whole restorer the halves of the autoencoders that are not used.
REFERENCE_IGNORED = (
    *(f"{prefix}down_sample.{i}.4." for prefix in ("", "detector.") for i in range(8)),
    "netG_A.decoder",
    "netG_B.encoder",
)

_card = partial(
    ModelCard,
    paper="https://arxiv.org/abs/2004.09484",
    reference="microsoft/Bringing-Old-Photos-Back-to-Life (MIT)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)
_LARGE = dict(depth=8, patch_sizes=(8, 4, 2))
_NOTE = "the paper measures 23.33 dB on synthetically aged DIV2K"

CARDS = (
    _card(name="old_photo_restorer", module=OldPhotoRestorer, task="restoration", multiple=4, parameters=37_007_363, notes=_NOTE),
    _card(
        name="old_photo_scratch_restorer",
        module=ScratchedPhotoRestorer,
        task="restoration",
        multiple=4,
        parameters=89_843_012,
        notes=f"fills scratches, which it finds itself where no mask is given; {_NOTE}",
    ),
    _card(
        name="old_photo_large_scratch_restorer",
        module=ScratchedPhotoRestorer,
        task="restoration",
        fields=_LARGE | dict(mask_growth=3),
        multiple=4,
        parameters=112_402_756,
        notes="for large photos, the reference's --HR; finds scratches where no mask is given, and takes them to be 3 pixels wider",
    ),
    _card(
        name="old_photo_vae",
        module=OldPhotoVAE,
        task="restoration",
        multiple=4,
        parameters=872_131,
        notes="one of the two autoencoders, of old and of clean photos",
    ),
    _card(name="old_photo_mapping", module=LatentMapping, task="translation", parameters=36_135_232, notes="between latents"),
    _card(
        name="old_photo_partial_mapping",
        module=LatentMapping,
        task="translation",
        fields=dict(partial_nonlocal=True),
        parameters=51_344_704,
        notes="between latents; needs the mask of the scratches",
    ),
    _card(
        name="old_photo_patch_mapping",
        module=LatentMapping,
        task="translation",
        fields=_LARGE,
        parameters=73_904_448,
        notes="between latents of large photos; needs the mask of the scratches",
    ),
    _card(
        name="old_photo_scratch_detector",
        module=ScratchDetector,
        task="segmentation",
        channels=1,
        multiple=16,
        parameters=37_626_177,
        notes="a scratch is where the sigmoid is at least 0.4, on grey photos whose shorter side has 256 pixels",
    ),
)
