"""Gated PixelCNN: conditional image generation with PixelCNN decoders.

Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves and Kavukcuoglu, NeurIPS 2016, https://arxiv.org/abs/1606.05328

    image -+-> gated layer 7 "A" -> v -> [gated layer] -> v -> ... x layers
           `->       (no skips)  -> h -> [ "B"       ] -> h -> ...
                                            `-> sum -> + label, ReLU, 1x1, ReLU, 1x1 -> logits of each value

The vertical stack v sees all rows above, the horizontal one h the row so far: no blind spot. `nn.gated_pixels` draws one layer.
"""

from functools import partial

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.gated_pixels import GatedPixels


class GatedPixelCNN(GatedPixels):
    """Two stacks of gated masked convolutions, conditioned on a label.

    Attributes:
      features: channels of each stack.
      layers: number of gated layers behind the first.
      causal_kernel_size: side of the first layer's window.
      kernel_size: side of the others'.
      hidden: channels of the layer before the last.
      levels: values that a channel may have: multiples of 1 / (levels - 1).
      classes: number of labels; 0 without.
      channels: image channels; green is drawn after red, blue after green.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and labels (N,), gives logits (N, H, W, channels, levels). `nn.autoregression.sample` draws from it,
    and completes images of which pixels are missing.
    """


def reference_names(model: GatedPixelCNN) -> dict[str, str]:
    """Our module paths -> the module names of anordertoreclaim/PixelCNN."""
    names = {"tail_0": "out_hidden_conv", "tail_1": "out_conv", "label_embedding": "label_embedding"}
    for i in range(model.layers + 1):
        theirs = f"hidden_conv.{i - 1}" if i else "causal_conv"
        layers = ("v_conv", "v_fc", "v_to_h", "h_conv", "h_fc", *(("h_skip", "label_embedding") if i else ()))
        names |= {f"block_{i}/{layer}": f"{theirs}.{layer}" for layer in layers}
    return names


_card = partial(
    ModelCard,
    module=GatedPixelCNN,
    task="generation",
    paper="https://arxiv.org/abs/1606.05328",
    reference="anordertoreclaim/PixelCNN (no licence stated)",
    reference_names=reference_names,
)

CARDS = (
    _card(name="gated_pixelcnn_light", parameters=438_526, notes="the reference's default, for binary images"),
    _card(
        name="gated_pixelcnn",
        fields=dict(features=126, layers=15, kernel_size=5, hidden=1023, levels=256),
        parameters=12_512_763,
        notes="the widths of the paper in the reference's code",
    ),
)
