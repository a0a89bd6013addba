"""Denoisers and encoder-decoders as PyTorch functions of tensors, for comparisons of speed.

Tensors have the names of the reference; where there is none in PyTorch, the paths of our own variables.
"""

from collections.abc import Callable

from benchmarks.torch_functions import Forward, Tensor, Tensors, enlarge, join, shuffle


def _pool(x: Tensor) -> Tensor:
    import torch.nn.functional as F

    return F.max_pool2d(x, 2)


def _leaky(x: Tensor, slope: float) -> Tensor:
    import torch.nn.functional as F

    return F.leaky_relu(x, slope)


def fdncnn(t: Tensors, given: Tensor) -> Tensor:
    return t.stack(given, [f"model.{2 * i}" for i in range(20)])


def ffdnet(t: Tensors, given: Tensor) -> Tensor:
    import torch.nn.functional as F

    x = join(F.pixel_unshuffle(given[:, :-1], 2), given[:, -1:, ::2, ::2])
    return shuffle(t.stack(x, [f"model.{2 * i}" for i in range(15)]), 2)


def ircnn(t: Tensors, image: Tensor) -> Tensor:
    x = image
    for i, dilation in enumerate((1, 2, 3, 4, 3, 2)):
        x = t.conv(x, f"model.{2 * i}", dilation=dilation).relu_()
    return image - t.conv(x, "model.12")


def dpdnn(t: Tensors, image: Tensor) -> Tensor:
    def unet(x: Tensor) -> Tensor:
        skips = []
        for level in range(1, 5):
            for i in (0, 2, 4):
                x = t.conv(x, f"Feature_Encoder{level}_fe.{i}").relu_()
            skips.append(x)
            # The reference halves levels 3 and 4 by the convolutions of 1 and 2.
            x = t.conv(x, f"Feature_Encoder{2 - level % 2}_down.0", 2).relu_()
        x = t.conv(x, "encoder_end.0").relu_()
        for level in (4, 3, 2, 1):
            x = join(t.deconv(x, f"decoder_up{level}", 2, 1, 1), skips.pop())
            x = t.stack(x, [f"Feature_Decoder{level}.{2 * i}" for i in range(5)])
        return t.conv(x, "Feature_Decoder_end")

    x = image
    for i in range(1, 7):
        delta, eta = t[f"delta_{i}"], t[f"eta_{i}"]
        x = (1.0 - delta - eta) * (x + unet(x)) + eta * x + delta * image
    return x


def noise2noise(t: Tensors, image: Tensor) -> Tensor:
    def hidden(x: Tensor, name: str) -> Tensor:
        return _leaky(t.conv(x, name), 0.1)

    x, skips = image - 0.5, []
    for level in range(5):
        skips.append(x)
        x = hidden(x, "encoder_conv_0") if level == 0 else x
        x = _pool(hidden(x, f"encoder_conv_{level + 1}"))
    x = hidden(x, "encoder_conv_6")
    for level in (4, 3, 2, 1, 0):
        x = join(enlarge(x), skips.pop())
        x = hidden(hidden(x, f"decoder_{level}_conv_0"), f"decoder_{level}_conv_1")
    return t.conv(x, "last") + 0.5


def noise2noise_shared(t: Tensors, image: Tensor) -> Tensor:
    def double(x: Tensor, name: str) -> Tensor:
        return t.conv(t.conv(x, f"{name}.0").relu_(), f"{name}.2").relu_()

    skips = [image]
    x = _pool(double(image, "_block1"))
    for _ in range(4):
        skips.append(x)
        x = _pool(t.conv(x, "_block2.0").relu_())
    x = t.deconv(t.conv(x, "_block3.0").relu_(), "_block3.2", 2, 1, 1)
    for name in ("_block4", *("_block5",) * 3):
        x = t.deconv(double(join(x, skips.pop()), name), f"{name}.4", 2, 1, 1)
    return _leaky(t.conv(double(join(x, skips.pop()), "_block6"), "_block6.4"), 0.1)


def neighbor2neighbor(t: Tensors, image: Tensor) -> Tensor:
    x = _shifted_unet(t, image, lambda x, name: t.conv(x, name), lambda x: x)
    return _tail_of_three(t, x)


def blind_spot_unet(t: Tensors, image: Tensor) -> Tensor:
    import torch
    import torch.nn.functional as F

    def above(x: Tensor, name: str) -> Tensor:
        return t.conv(F.pad(x, (0, 0, 1, 0)), name)[:, :, :-1]

    def down(x: Tensor) -> Tensor:
        return F.pad(x, (0, 0, 1, 0))[:, :, :-1]

    turned = torch.cat([torch.rot90(image, -quarters, (2, 3)) for quarters in range(4)])
    parts = down(_shifted_unet(t, turned, above, down)).chunk(4)
    return _tail_of_three(t, join(*(torch.rot90(part, quarters, (2, 3)) for quarters, part in enumerate(parts))))


def _shifted_unet(t: Tensors, image: Tensor, conv: Callable[[Tensor, str], Tensor], down: Callable[[Tensor], Tensor]) -> Tensor:
    def hidden(x: Tensor, name: str) -> Tensor:
        return _leaky(conv(x, name), 0.2)

    x, skips = image, []
    for level in range(5):
        skips.append(x)
        x = hidden(x, "enc_conv0") if level == 0 else x
        x = _pool(down(hidden(x, f"enc_conv{level + 1}")))
    x = hidden(x, "enc_conv6")
    for level in (5, 4, 3, 2, 1):
        x = join(t.deconv(x, f"up{level}.deconv", 2, 0), skips.pop())
        x = hidden(hidden(x, f"dec_conv{level}a"), f"dec_conv{level}b")
    return x


def _tail_of_three(t: Tensors, x: Tensor) -> Tensor:
    return t.conv(_leaky(t.conv(_leaky(t.conv(x, "nin_a"), 0.2), "nin_b"), 0.2), "nin_c")


def _overlap_block(t: Tensors, image: Tensor, name: str) -> Tensor:
    def unit(x: Tensor, number: int) -> Tensor:
        x = t.conv(x, f"{name}.conv{number}")
        return t.norm(x, f"{name}.norm{number}") if f"{name}.norm{number}.weight" in t else x

    x = unit(_leaky(unit(image, 1), 0.01), 2)
    both = min(x.shape[1], image.shape[1])
    x[:, :both] += image[:, :both]
    return _leaky(x, 0.01)


def noise2self_unet(t: Tensors, x: Tensor) -> Tensor:
    skips = []
    for level in range(1, 5):
        skips.append(_overlap_block(t, x, f"conv{level}"))
        x = t.conv(skips[-1], f"down{level}", 2, skips[-1].shape[1], padding=0)
    x = _overlap_block(t, x, "conv5")
    for level in range(1, 5):
        x = t.deconv(x, f"up{level}", 2, 0, groups=x.shape[1])
        x = _overlap_block(t, join(x, skips.pop()), f"conv{5 + level}")
    return x


def babyunet(t: Tensors, x: Tensor) -> Tensor:
    skips = []
    for name in ("conv1", "conv2"):
        skips.append(_overlap_block(t, x, name))
        x = _pool(skips[-1])
    x = _overlap_block(t, x, "conv3")
    for name in ("conv4", "conv5"):
        x = _overlap_block(t, join(enlarge(x, 2, "bilinear", False), skips.pop()), name)
    return t.conv(x, "conv6")


def noise2void(t: Tensors, image: Tensor) -> Tensor:
    def twice(x: Tensor, name: str) -> Tensor:
        for i in range(2):
            x = t.norm(t.conv(x, f"{name}_conv_{i}"), f"{name}_norm_{i}", 1e-3).relu_()
        return x

    x, skips = image, []
    for level in range(2):
        skips.append(twice(x, f"encoder_{level}"))
        x = _pool(skips[-1])
    x = twice(x, "bottom")
    for level in (1, 0):
        x = twice(join(enlarge(x), skips.pop()), f"decoder_{level}")
    return image + t.conv(x, "last")


def rednet30(t: Tensors, image: Tensor) -> Tensor:
    x, skips = image, []
    for i in range(15):
        x = t.conv(x, f"conv_layers.{i}.0").relu_()
        skips += [x] if i % 2 and i < 14 else []
    for i in range(14):
        x = t.deconv(x, f"deconv_layers.{i}.0", 1, 1).relu_()
        x = (x + skips.pop()).relu_() if i % 2 == 0 else x
    return image + t.deconv(x, "deconv_layers.14", 1, 1)


def conv_deconv(skip_every: int) -> Forward:
    def network(t: Tensors, x: Tensor) -> Tensor:
        skips = []
        for i in range(10):
            x = t.norm(t.conv(x, f"conv_{i}"), f"conv_{i}_norm").relu_()
            skips += [x] if skip_every and (i + 1) % skip_every == 0 and i < 9 else []
        for i in range(9):
            x = t.norm(t.deconv(x, f"deconv_{i}", 1, 1), f"deconv_{i}_norm").relu_()
            x = (x + skips.pop()).relu_() if skip_every and (9 - i) % skip_every == 0 else x
        return t.norm(t.deconv(x, "deconv_9", 1, 1), "deconv_9_norm").sigmoid()

    return network


def conv_deconv_pooled(t: Tensors, x: Tensor) -> Tensor:
    for i in range(10):
        x = t.norm(t.conv(x, f"conv_{i}"), f"conv_{i}_norm").relu_()
        x = _pool(x) if i % 2 else x
    for i in range(10):
        x = x if i % 2 else enlarge(x)
        x = t.norm(t.conv(x, f"deconv_{i}"), f"deconv_{i}_norm")
        x = x.relu_() if i < 9 else x
    return x.sigmoid()


def unet_nearest(t: Tensors, x: Tensor) -> Tensor:
    """Also Attention U-Net, where there are gates."""

    def unit(x: Tensor, name: str, place: int) -> Tensor:
        return t.norm(t.conv(x, f"{name}.{place}"), f"{name}.{place + 1}")

    def double(x: Tensor, name: str) -> Tensor:
        return unit(unit(x, f"{name}.conv", 0).relu_(), f"{name}.conv", 3).relu_()

    skips = []
    for level in range(1, 5):
        skips.append(double(x, f"Conv{level}"))
        x = _pool(skips[-1])
    x = double(x, "Conv5")
    for level in (5, 4, 3, 2):
        x, skip, gate = unit(enlarge(x), f"Up{level}.up", 1).relu_(), skips.pop(), f"Att{level}"
        if f"{gate}.psi.0.weight" in t:
            both = (unit(x, f"{gate}.W_g", 0) + unit(skip, f"{gate}.W_x", 0)).relu_()
            skip = skip * unit(both, f"{gate}.psi", 0).sigmoid()
        x = double(join(skip, x), f"Up_conv{level}")
    return t.conv(x, "Conv_1x1")


def unet_bilinear(t: Tensors, x: Tensor) -> Tensor:
    def double(x: Tensor, name: str) -> Tensor:
        for i in (0, 3):
            x = t.norm(t.conv(x, f"{name}.double_conv.{i}"), f"{name}.double_conv.{i + 1}").relu_()
        return x

    skips = [double(x, "inc")]
    for level in range(1, 5):
        skips.append(double(_pool(skips[-1]), f"down{level}.maxpool_conv.1"))
    x = skips.pop()
    for level in range(1, 5):
        x = double(join(skips.pop(), enlarge(x, 2, "bilinear", True)), f"up{level}.conv")
    return t.conv(x, "outc.conv")


def edcnn(upsampling: str) -> Forward:
    def network(t: Tensors, image: Tensor) -> Tensor:
        import torch.nn.functional as F

        def double(x: Tensor, name: str) -> Tensor:
            for i in range(2):
                x = t.norm(t.conv(x, f"{name}.unit_{i}.conv"), f"{name}.unit_{i}.norm").tanh_()
            return x

        def up(x: Tensor, places: Tensor, name: str) -> Tensor:
            match upsampling:
                case "bilinear":  # on the small image, as ours
                    return enlarge(t.conv(x, f"{name}.conv"), 2, "bilinear", True)
                case "unpooling":
                    return F.max_unpool2d(t.conv(x, f"{name}.conv"), places, 2)
                case "transposed":
                    return t.deconv(x, f"{name}.conv", 2, 0)
            return t.conv(shuffle(x, 2), f"{name}.conv")

        x = double(t.conv(2.0 * image - 1.0, "first").tanh_(), "body.encoder_0")
        kept = []
        for level in range(1, 5):
            pooled, places = F.max_pool2d(x, 2, return_indices=True) if upsampling == "unpooling" else (_pool(x), x)
            kept.append((x, places))
            x = double(pooled, f"body.encoder_{level}")
        for level in (3, 2, 1, 0):
            skip, places = kept.pop()
            x = t.norm(up(x, places, f"body.upsample_{level}"), f"body.upsample_norm_{level}").tanh_()
            x = double(join(skip, x), f"body.decoder_{level}")
        return 0.5 * t.conv(x, "last").tanh_() + 0.5

    return network


def denoising_autoencoder(t: Tensors, x: Tensor) -> Tensor:
    for i in range(3):
        x = t.conv(x, f"encoder_{i}", 2).relu_()
    for i in range(3):
        x = t.deconv(x, f"decoder_{i}", 2, 1).relu_()
    return t.conv(x, "tail").sigmoid()


def restoration_resnet(depth: int, residual: bool) -> Forward:
    def network(t: Tensors, image: Tensor) -> Tensor:
        x = t.conv(image - 0.5, "body.0")
        for i in range(1, depth + 1):
            x = x + t.conv(t.conv(x, f"body.{i}.body.0").relu_(), f"body.{i}.body.2")
        return t.conv(x, f"body.{depth + 1}") + (image if residual else 0.5)

    return network


def _patchwise(image: Tensor, network: Callable[[Tensor], Tensor], size: int, stride: int, weighted: bool) -> Tensor:
    """The weighted mean of restored patches, which cover the image exactly."""
    import torch
    import torch.nn.functional as F

    from jaxrestore.nn.patchwise import gaussian_weights

    channels = image.shape[1]
    patches = F.unfold(image, size, stride=stride)[0].T.reshape(-1, channels, size, size)
    weights = torch.from_numpy(gaussian_weights(size)[None, ..., 0].copy()) if weighted else torch.ones(1, size, size)

    def sums(patches: Tensor) -> Tensor:
        return F.fold(patches.flatten(1).T[None], image.shape[2:], size, stride=stride)

    return sums(network(patches) * weights) / sums(weights.expand(len(patches), 1, size, size))


def patch_mlp(t: Tensors, image: Tensor) -> Tensor:
    def network(patches: Tensor) -> Tensor:
        x = (patches.flatten(1) - 0.5) / 0.2
        for i in range(4):
            x = t.linear(x, f"dense_{i}").tanh_()
        return (0.2 * t.linear(x, "dense_4") + 0.5).reshape(patches.shape)

    return _patchwise(image, network, 17, 3, True)


def patch_cnn(t: Tensors, image: Tensor) -> Tensor:
    return _patchwise(image, lambda patches: patches - t.stack(patches, [f"conv_{i}" for i in range(5)]), 32, 16, True)


def on_demand(t: Tensors, image: Tensor) -> Tensor:
    import torch

    def network(patches: Tensor) -> Tensor:
        x = 2.0 * patches - 1.0
        for i in range(4):
            x = _leaky(t.norm(t.conv(x, f"down_{i}", 2, padding=1), f"down_norm_{i}"), 0.2)
        planes = torch.baddbmm(t["bottleneck.bias"][:, None], x.flatten(2).transpose(0, 1), t["bottleneck.weight"])
        x = planes.transpose(0, 1).reshape(x.shape)
        for i in range(3):
            x = t.norm(t.deconv(x, f"up_{i}", 2, 1), f"up_norm_{i}").relu_()
        return 0.5 * t.deconv(x, "up_3", 2, 1).tanh() + 0.5

    return _patchwise(image, network, 64, 16, False)


def deep_image_prior(t: Tensors, noise: Tensor) -> Tensor:
    """Of noise, with a skip at each of five scales."""

    def unit(x: Tensor, name: str, place: int, stride: int = 1) -> Tensor:
        side = t[f"{name}{place}.1.weight"].shape[-1]
        x = t.conv(x, f"{name}{place}.1", stride, mode="reflect" if side > 1 else "zeros")
        return _leaky(t.norm(x, f"{name}{place + 1}"), 0.2)

    def scale(i: int, x: Tensor, name: str) -> Tensor:
        skip, deeper = unit(x, f"{name}1.0.", 1), f"{name}1.1."
        x = unit(unit(x, deeper, 1, 2), deeper, 4)
        x = scale(i + 1, x, f"{deeper}7.") if i < 4 else x
        x = t.norm(join(skip, enlarge(x, 2, "bilinear", False)), f"{name}2")
        return unit(unit(x, name, 3), name, 6)

    return t.conv(scale(0, noise, ""), "9.1").sigmoid()
