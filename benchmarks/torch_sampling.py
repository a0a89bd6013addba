"""Networks that draw images and videos, and those that judge them, as PyTorch functions of tensors, for comparisons of speed.

Tensors have the names of the reference; where there is none in PyTorch, the paths of our own variables.
"""

from functools import cache

from benchmarks.torch_functions import Forward, Tensor, Tensors, enlarge, join
from benchmarks.torch_generative import instance, leaky


def pixelcnn(t: Tensors, x: Tensor) -> Tensor:
    import torch.nn.functional as F

    for i in range(8):
        kernel = t[f"{3 * i}.weight"]
        mask = kernel.new_ones(kernel.shape)
        mask[:, :, 3, 3 + (i > 0) :] = 0.0
        mask[:, :, 4:] = 0.0
        x = t.norm(F.conv2d(x, kernel * mask, padding=3), f"{3 * i + 1}").relu_()
    return t.conv(x, "24")[..., None]


def _masked(t: Tensors, x: Tensor, name: str, strict: bool = False, blocks: int = 1, input_blocks: int = 1) -> Tensor:
    """A convolution without the later of three channels, whose mask is applied at each call, as references do."""
    import torch.nn.functional as F

    weight = t[f"{name}.weight"]
    features, inputs, *window = weight.shape
    mask = _mask(tuple(window), inputs, features, strict, blocks, input_blocks)
    return F.conv2d(x, weight * mask, t[f"{name}.bias"], padding=tuple(side // 2 for side in window))


@cache
def _mask(window: tuple[int, int], inputs: int, features: int, strict: bool, blocks: int, input_blocks: int) -> Tensor:
    import torch

    from jaxrestore.nn.masked_conv import causal_mask, dealt

    mask = causal_mask(window, dealt(inputs, 3, input_blocks), dealt(features, 3, blocks), strict)
    return torch.from_numpy(mask.transpose(3, 2, 0, 1).copy())


def _distributions(x: Tensor) -> Tensor:
    return x.unflatten(1, (256, 3)).movedim(2, -1)


def residual_pixelcnn(t: Tensors, image: Tensor) -> Tensor:
    x = _masked(t, image, "head", strict=True)
    for i in range(15):
        y = x.relu()
        for part in ("narrow", "middle"):
            y = _masked(t, y, f"{part}_{i}").relu_()
        x = x + _masked(t, y, f"widen_{i}")
    return _distributions(_masked(t, _masked(t, x.relu_(), "tail_0").relu_(), "tail_1"))


def gated_pixelcnn(t: Tensors, image: Tensor) -> Tensor:
    """Without labels."""
    import torch
    import torch.nn.functional as F

    def gate(x: Tensor) -> Tensor:
        signal, share = x.chunk(2, 1)
        return signal.tanh() * share.sigmoid()

    v = h = image
    total = 0.0
    for i in range(16):
        name, first = f"block_{i}", i == 0
        height, width = t[f"{name}.v_conv.weight"].shape[2:]
        rows = t.conv(F.pad(v, (0, 0, height, 0)), f"{name}.v_conv", padding=(0, width // 2))
        said = rows[:, :, 1:] + t.conv(v, f"{name}.v_fc")
        above = torch.cat([rows[:, :, :1], said[:, :, :-1]], 2)
        above = t.conv(above, f"{name}.v_to_h") if first else _masked(t, above, f"{name}.v_to_h", blocks=2, input_blocks=2)
        gated = gate(_masked(t, h, f"{name}.h_conv", first, 2) + above)
        v = gate(said) if first else gate(said) + v
        h = _masked(t, gated, f"{name}.h_fc", first) + (0.0 if first else h)
        total = total if first else total + _masked(t, gated, f"{name}.h_skip")
    return _distributions(_masked(t, _masked(t, total.relu_(), "tail_0").relu_(), "tail_1"))


def tgan(t: Tensors, slow: Tensor) -> Tensor:
    x = slow[:, :, None]
    for i in range(4):
        x = t.norm(t.deconv(x, f"temporal.deconv_{i}", *((2, 1) if i else (1, 0))), f"temporal.norm_{i}", 2e-5).relu_()
    fast = t.deconv(x, "temporal.deconv_4", 2, 1).tanh()[0].T

    def start(z: Tensor, name: str) -> Tensor:
        return t.norm(t.linear(z, f"image.linear_{name}"), f"image.norm_{name}", 2e-5).relu_().reshape(-1, 256, 4, 4)

    x = join(start(slow, "slow").expand(len(fast), -1, -1, -1), start(fast, "fast"))
    for i in range(4):
        x = t.norm(t.deconv(x, f"image.deconv_{i}", 2, 1), f"image.norm_{i}", 2e-5).relu_()
    return (0.5 + 0.5 * t.deconv(x, "image.deconv_4", 1, 1).tanh()).transpose(0, 1)[None]


def video_unet(t: Tensors, video: Tensor) -> Tensor:
    """Without missing frames."""
    import torch.nn.functional as F

    def twice(x: Tensor, name: str) -> Tensor:
        return t.conv(t.conv(x, f"{name}_conv_0").relu_(), f"{name}_conv_1").relu_()

    x, skips = twice(join(video, video.new_zeros(video[:, :1].shape)), "encoder_0"), []
    for level in (1, 2):
        skips.append(x)
        x = twice(F.max_pool3d(x, (1, 2, 2)), f"encoder_{level}")
    for level in (1, 0):
        x = twice(join(skips.pop(), F.interpolate(x, scale_factor=(1, 2, 2), mode="nearest")), f"decoder_{level}")
    return video + t.conv(x, "tail")


def cvae_gan(t: Tensors, image: Tensor) -> Tensor:
    """Without labels, with an encoder of plain convolutions, from the mean of the code."""
    x = 2.0 * image - 1.0
    for i in range(5):
        x = leaky(t.norm(t.conv(x, f"encoder.conv_{i}", 2), f"encoder.norm_{i}"))
    x = t.linear(x.permute(0, 2, 3, 1).flatten(1), "encoder.dense").relu_()
    x = t.linear(x, "encoder.gaussian").chunk(2, 1)[0]
    for i in range(2):
        x = t.norm(t.linear(x, f"generator.dense_{i}"), f"generator.dense_norm_{i}").relu_()
    x = x.reshape(-1, 2, 2, 256).permute(0, 3, 1, 2)
    for i in range(6):
        x = t.conv(enlarge(x), f"generator.conv_{i}")
        x = t.norm(x, f"generator.norm_{i}").relu_() if i < 5 else x
    return 0.5 + 0.5 * x.tanh()


def patch_discriminator(padding: int, normalised: bool) -> Forward:
    def network(t: Tensors, image: Tensor) -> Tensor:
        x = leaky(t.conv(2.0 * image - 1.0, "model.0", 2, padding=padding))
        for place, stride in ((2, 2), (5, 2), (8, 1)):
            x = t.conv(x, f"model.{place}", stride, padding=padding)
            x = leaky(t.norm(x, f"model.{place + 1}") if normalised else instance(x))
        return t.conv(x, "model.11", padding=padding)

    return network


def pixel_discriminator(t: Tensors, image: Tensor) -> Tensor:
    x = t.conv(leaky(t.conv(2.0 * image - 1.0, "net.0")), "net.2")
    return t.conv(leaky(t.norm(x, "net.3")), "net.5")


def deepdeblur_discriminator(t: Tensors, image: Tensor) -> Tensor:
    x = 255.0 * image
    for i, stride in enumerate((1, 2, 1, 2, 1, 4, 1, 4, 1)):
        x = leaky(t.conv(x, f"conv_layers.{i}", stride))
    return t.conv(leaky(t.conv(x, "conv_layers.9", 4, padding=0)), "dense")


def context_encoder_discriminator(t: Tensors, image: Tensor) -> Tensor:
    x = leaky(t.conv(2.0 * image - 1.0, "main.0", 2, padding=1))
    for place in (2, 5, 8):
        x = leaky(t.norm(t.conv(x, f"main.{place}", 2, padding=1), f"main.{place + 1}"))
    return t.conv(x, "main.11", padding=0)


def cvae_gan_discriminator(t: Tensors, image: Tensor) -> Tensor:
    x = leaky(t.conv(2.0 * image - 1.0, "conv_0", 2))
    for i in range(3):
        x = leaky(t.norm(t.conv(x, f"conv_{i + 1}", 2), f"norm_{i}"))
    return t.linear(x.permute(0, 2, 3, 1).flatten(1), "tail")


def cvae_gan_classifier(t: Tensors, image: Tensor) -> Tensor:
    import torch.nn.functional as F

    x = 2.0 * image - 1.0
    for i in range(5):
        x = (t.conv(x, "conv_0", 4, padding=2) if i == 0 else t.conv(x, f"conv_{i}")).relu_()
        x = F.max_pool2d(x, 3, 2) if i in (0, 1, 4) else x
    x = x.permute(0, 2, 3, 1).flatten(1)
    for i in range(2):
        x = t.linear(x, f"hidden_{i}").relu_()
    return t.linear(x, "tail")


def tgan_discriminator(t: Tensors, video: Tensor) -> Tensor:
    x = 2.0 * video - 1.0
    for i in range(4):
        x = t.conv(x, f"conv_{i}", 2, padding=1)
        x = leaky(t.norm(x, f"norm_{i}", 2e-5) if i else x)
    return t.conv(x[:, :, 0], "conv_4", padding=0)
