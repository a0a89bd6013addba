"""Super-resolution networks as PyTorch functions of their reference's tensors, for comparisons of speed.

What a network adds that is no network (an interpolated image) is a product with our own interpolation's matrices.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.torch_functions import Tensor, Tensors, shuffle, sides


def _mean(x: Tensor) -> Tensor:
    return x.new_tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1)


def _residual(t: Tensors, x: Tensor, first: str, second: str) -> Tensor:
    return x + t.conv(t.conv(x, first).relu_(), second)


def srcnn(t: Tensors, x: Tensor) -> Tensor:
    import torch.nn.functional as F

    for name in ("conv1", "conv2", "conv3"):
        weight, before = t[f"{name}.weight"], t[f"{name}.weight"].shape[-1] // 2
        x = F.conv2d(F.pad(x, [before] * 4, "replicate"), weight, t[f"{name}.bias"])
        x = x.relu_() if name != "conv3" else x
    return x


def fsrcnn(t: Tensors, x: Tensor) -> Tensor:
    import torch.nn.functional as F

    for name, place in (("first_part", 0), *(("mid_part", i) for i in (0, 2, 4, 6, 8, 10))):
        x = F.prelu(t.conv(x, f"{name}.{place}"), t[f"{name}.{place + 1}.weight"])
    return t.deconv(x, "last_part", 4, 4, 3)


def espcn(t: Tensors, x: Tensor) -> Tensor:
    return shuffle(t.conv(t.conv(t.conv(x, "first_part.0").tanh(), "first_part.2").tanh(), "last_part.0"), 3)


def vdsr(t: Tensors, x: Tensor) -> Tensor:
    y = x
    for i in range(1, 20):
        y = t.conv(y, f"conv{i}").relu_()
    return x + t.conv(y, "conv20")


def drcn(t: Tensors, x: Tensor) -> Tensor:
    y = t.conv(t.conv(x, "embedding_layer.0").relu_(), "embedding_layer.2").relu_()
    shares, result = t["ensemble_w"] / t["ensemble_w"].sum(), x
    for share in shares:
        y = t.conv(y, "conv_block.0").relu_()
        result = result + share * t.conv(t.conv(y, "reconstruction_layer.0"), "reconstruction_layer.1")
    return result


def srresnet(t: Tensors, x: Tensor) -> Tensor:
    import torch.nn.functional as F

    shallow = x = F.prelu(t.conv(x, "conv1.0"), t["conv1.1.weight"])
    for i in range(16):
        branch = F.prelu(t.norm(t.conv(x, f"trunk.{i}.rcb.0"), f"trunk.{i}.rcb.1"), t[f"trunk.{i}.rcb.2.weight"])
        x = x + t.norm(t.conv(branch, f"trunk.{i}.rcb.3"), f"trunk.{i}.rcb.4")
    x = shallow + t.norm(t.conv(x, "conv2.0"), "conv2.1")
    for i in range(2):
        name = f"upsampling.{i}.upsample_block"
        x = F.prelu(shuffle(t.conv(x, f"{name}.0"), 2), t[f"{name}.2.weight"])
    return t.conv(x, "conv3")


def msrresnet(t: Tensors, image: Tensor) -> Tensor:
    import torch.nn.functional as F

    x = F.leaky_relu(t.conv(image, "conv_first"), 0.1)
    for i in range(16):
        x = _residual(t, x, f"body.{i}.conv1", f"body.{i}.conv2")
    for i in (1, 2):
        x = F.leaky_relu(shuffle(t.conv(x, f"upconv{i}"), 2), 0.1)
    x = t.conv(F.leaky_relu(t.conv(x, "conv_hr"), 0.1), "conv_last")
    return x + F.interpolate(image, scale_factor=4, mode="bilinear", align_corners=False)


def mdsr(t: Tensors, image: Tensor) -> Tensor:
    mean = _mean(image)
    x = t.conv(255.0 * (image - mean), "head.0")
    for i in range(2):
        x = _residual(t, x, f"pre_process.2.{i}.body.0", f"pre_process.2.{i}.body.2")
    start = x
    for i in range(16):
        x = _residual(t, x, f"body.{i}.body.0", f"body.{i}.body.2")
    x = start + t.conv(x, "body.16")
    for i in (0, 2):
        x = shuffle(t.conv(x, f"upsample.2.{i}"), 2)
    return t.conv(x, "tail.0") / 255.0 + mean


def memnet(t: Tensors, image: Tensor) -> Tensor:
    import torch
    import torch.nn.functional as F

    def normalised(x: Tensor, name: str) -> Tensor:
        leaves = (t[f"bn_{name}.mean"], t[f"bn_{name}.var"], t[f"scale_{name}.weight"], t[f"scale_{name}.bias"])
        return F.batch_norm(x, *leaves).relu_()

    def conv(x: Tensor, number: int, part: str) -> Tensor:
        return F.conv2d(x, t[f"conv{number:02d}_w{part}"], t[f"conv{number:02d}_b{part}"], padding=1)

    memory, result = [t.conv(normalised(image, "conv1"), "conv1")], 0.0
    for m in range(1, 7):
        x, short = memory[-1], []
        for r in range(1, 7):
            y = conv(normalised(x, f"conv{m:02d}_{r:02d}_a"), m, "a")
            x = x + conv(normalised(y, f"conv{m:02d}_{r:02d}_b"), m, "b")
            short.append(x)
        memory.append(t.conv(normalised(torch.cat([*memory, *short], 1), f"conv_transition_{m:02d}"), f"conv_transition_{m:02d}"))
        y = image + F.conv2d(normalised(memory[-1], f"conv_end_{m:02d}"), t["Recon_w"], t["Recon_b"], padding=1)
        result = result + t[f"weight_output_end_{m:02d}.weight"] * y
    return result


def enhancenet(t: Tensors, image: Tensor) -> Tensor:
    import torch.nn.functional as F

    from jaxrestore.models.super_resolution.enhancenet import _MEAN
    from jaxrestore.ops.legacy_bicubic import legacy_bicubic

    def conv(x: Tensor, number: int) -> Tensor:
        name = "generator.Conv" + (f"_{number}" if number else "")
        return F.conv2d(x, t[f"{name}.weights"], t[f"{name}.biases"], padding=1)

    def matrix(side: int) -> np.ndarray:
        return np.asarray(legacy_bicubic(np.eye(side, dtype=np.float32)[:, None, :], 4))[:, 0]

    mean = image.new_tensor(np.asarray(_MEAN)).reshape(1, 3, 1, 1)
    centred = image - mean
    x = conv(centred, 0).relu_()
    for i in range(1, 21, 2):
        x = x + conv(conv(x, i).relu_(), i + 1)
    for i in (21, 22):
        x = conv(F.interpolate(x, scale_factor=2, mode="nearest"), i).relu_()
    return conv(conv(x, 23).relu_(), 24) + sides(centred, matrix) + mean


def srdensenet(t: Tensors, x: Tensor) -> Tensor:
    import torch

    x = t.conv(x, "conv.conv").relu_()
    for b in range(8):
        new = t.conv(x, f"dense_blocks.{b}.block.0.conv").relu_()
        for i in range(1, 8):
            new = torch.cat([new, t.conv(new, f"dense_blocks.{b}.block.{i}.conv").relu_()], 1)
        x = torch.cat([x, new], 1)
    x = t.conv(x, "bottleneck.0").relu_()
    for i in (0, 2):
        x = t.deconv(x, f"deconv.{i}", 2, 1, 1).relu_()
    return t.conv(x, "reconstruction")


def rdn(t: Tensors, image: Tensor) -> Tensor:
    import torch

    shallow = t.conv(255.0 * image, "SFENet1")
    x, results = t.conv(shallow, "SFENet2"), []
    for b in range(16):
        seen = x
        for i in range(8):
            seen = torch.cat([seen, t.conv(seen, f"RDBs.{b}.convs.{i}.conv.0").relu_()], 1)
        x = x + t.conv(seen, f"RDBs.{b}.LFF")
        results.append(x)
    x = shallow + t.conv(t.conv(torch.cat(results, 1), "GFF.0"), "GFF.1")
    for i in (0, 2):
        x = shuffle(t.conv(x, f"UPNet.{i}"), 2)
    return t.conv(x, "UPNet.4") / 255.0


def carn(t: Tensors, image: Tensor) -> Tensor:
    import torch

    def cascade(x: Tensor, parts: list[Callable[[Tensor], Tensor]], name: str) -> Tensor:
        seen = x
        for i, part in enumerate(parts, 1):
            seen = torch.cat([seen, part(x)], 1)
            x = t.conv(seen, f"{name}c{i}.body.0").relu_()
        return x

    def unit(name: str) -> Callable[[Tensor], Tensor]:
        return lambda x: _residual(t, x, f"{name}.body.0", f"{name}.body.2").relu_()

    def block(name: str) -> Callable[[Tensor], Tensor]:
        return lambda x: cascade(x, [unit(f"{name}.b{i}") for i in (1, 2, 3)], f"{name}.")

    mean = _mean(image)
    x = cascade(t.conv(image - mean, "entry"), [block(f"b{i}") for i in (1, 2, 3)], "")
    for i in (0, 3):
        x = shuffle(t.conv(x, f"upsample.up.body.{i}").relu_(), 2)
    return t.conv(x, "exit") + mean


def esrgan(t: Tensors, image: Tensor) -> Tensor:
    import torch
    import torch.nn.functional as F

    def dense(x: Tensor, name: str) -> Tensor:
        seen = x
        for i in range(1, 5):
            seen = torch.cat([seen, F.leaky_relu(t.conv(seen, f"{name}.conv{i}"), 0.2)], 1)
        return x + 0.2 * t.conv(seen, f"{name}.conv5")

    shallow = x = t.conv(image, "conv_first")
    for b in range(23):
        y = x
        for i in (1, 2, 3):
            y = dense(y, f"body.{b}.rdb{i}")
        x = x + 0.2 * y
    x = shallow + t.conv(x, "conv_body")
    for i in (1, 2):
        x = F.leaky_relu(t.conv(F.interpolate(x, scale_factor=2, mode="nearest"), f"conv_up{i}"), 0.2)
    return t.conv(F.leaky_relu(t.conv(x, "conv_hr"), 0.2), "conv_last")


def imdn(t: Tensors, image: Tensor) -> Tensor:
    import torch
    import torch.nn.functional as F

    shallow = x = t.conv(image, "fea_conv")
    results = []
    for b in range(1, 7):
        name, kept, y = f"IMDB{b}", [], x
        for i in (1, 2, 3):
            some, y = F.leaky_relu(t.conv(y, f"{name}.c{i}"), 0.05).split([16, 48], 1)
            kept.append(some)
        y = torch.cat([*kept, t.conv(y, f"{name}.c4")], 1)
        contrast = y.std((2, 3), correction=0, keepdim=True) + y.mean((2, 3), keepdim=True)
        share = t.conv(t.conv(contrast, f"{name}.cca.conv_du.0").relu_(), f"{name}.cca.conv_du.2").sigmoid()
        x = x + t.conv(y * share, f"{name}.c5")
        results.append(x)
    x = shallow + t.conv(F.leaky_relu(t.conv(torch.cat(results, 1), "c.0"), 0.05), "LR_conv")
    return shuffle(t.conv(x, "upsampler.0"), 4)


def idn(t: Tensors, image: Tensor) -> Tensor:
    import torch
    import torch.nn.functional as F

    from jaxrestore.ops.resize import imresize

    def unit(x: Tensor, name: str, groups: int = 1) -> Tensor:
        return F.leaky_relu(t.conv(x, name, groups=groups), 0.05)

    def matrix(side: int) -> np.ndarray:
        return np.asarray(imresize(np.eye(side, dtype=np.float32)[:, :, None], size=(4 * side, side)))[:, :, 0]

    x = unit(unit(image, "conv1"), "conv2")
    for i in range(4):
        name = f"conv{i + 3}"
        y = unit(unit(unit(x, f"{name}_1"), f"{name}_2", 4), f"{name}_3")
        short, y = torch.cat([x, y[:, :16]], 1), y[:, 16:]
        x = unit(short + unit(unit(unit(y, f"{name}_4"), f"{name}_5", 4), f"{name}_6"), f"down{i + 1}")
    residual = t.deconv(x, "upsample", 4, 5)
    return sides(image, matrix) + residual[..., : 4 * image.shape[-2], : 4 * image.shape[-1]]


def _nonlocal(t: Tensors, x: Tensor, name: str, key: str, value: str, pool: int = 1, over_queries: bool = False) -> Tensor:
    import torch.nn.functional as F

    parts = [t.conv(x, f"{name}.{part}") for part in ("theta", key, value)]
    parts[1:] = [F.max_pool2d(part, pool) if pool > 1 else part for part in parts[1:]]
    query, keys, values = (part.flatten(2) for part in parts)
    weights = (query.transpose(1, 2) @ keys).softmax(1 if over_queries else 2)
    seen = (weights @ values.transpose(1, 2)).transpose(1, 2).reshape(parts[0].shape)
    return x + t.conv(seen, f"{name}.W")


def rnan(t: Tensors, image: Tensor) -> Tensor:
    def group(x: Tensor, name: str, looks_around: bool = False) -> Tensor:
        inner, masks = f"{name}.body.0", f"{name}.body.0.RA_MB.0"

        def blocks(x: Tensor, *places: str) -> Tensor:
            for place in places:
                x = _residual(t, x, f"{inner}.{place}.body.0", f"{inner}.{place}.body.2")
            return x

        x = blocks(x, "RA_RB1.0")
        trunk = blocks(x, "RA_TB.0.body.0", "RA_TB.0.body.1")
        mask = _nonlocal(t, x, f"{masks}.MB_RB1.0", "phi", "g", over_queries=True) if looks_around else x
        mask = blocks(mask, f"RA_MB.0.MB_RB1.{int(looks_around)}")
        low = blocks(t.conv(mask, f"{masks}.MB_Down.0", 2), "RA_MB.0.MB_RB2.0", "RA_MB.0.MB_RB2.1")
        mask = blocks(mask + t.deconv(low, f"{masks}.MB_Up.0", 2, 2), "RA_MB.0.MB_RB3.0")
        mask = t.conv(mask, f"{masks}.MB_1x1conv.0").sigmoid()
        return t.conv(blocks(trunk * mask + x, "RA_tail.0", "RA_tail.1"), f"{name}.body.1")

    mean = _mean(image)
    shallow = t.conv(255.0 * (image - mean), "head.0")
    x = group(shallow, "body_nl_low.0", True)
    for i in range(8):
        x = group(x, f"body.{i}")
    return _tail(t, shallow + group(t.conv(x, "body.8"), "body_nl_high.0", True)) + mean


def san(t: Tensors, image: Tensor) -> Tensor:
    import torch

    def quarters(x: Tensor) -> Tensor:
        def look(part: Tensor) -> Tensor:
            return _nonlocal(t, part, "non_local.non_local", "phi.0", "g.0", pool=2)

        height, width = (side // 2 for side in x.shape[2:])
        halves = x[:, :, :height], x[:, :, height:]
        return torch.cat([torch.cat([look(half[..., :width]), look(half[..., width:])], 3) for half in halves], 2)

    def attention(x: Tensor, name: str) -> Tensor:
        pixels = x.flatten(2)
        pixels = pixels - pixels.mean(2, keepdim=True)
        covariance = pixels @ pixels.transpose(1, 2) / pixels.shape[2]
        trace = covariance.diagonal(dim1=1, dim2=2).sum(1).reshape(-1, 1, 1)
        normalised, three = covariance / trace, 3.0 * torch.eye(x.shape[1])
        z = 0.5 * (three - normalised)
        y = normalised @ z
        for _ in range(3):
            zy = 0.5 * (three - z @ y)
            y, z = y @ zy, zy @ z
        statistic = (0.5 * y @ (three - z @ y) * trace.sqrt()).mean(1)[..., None, None]
        return x * t.conv(t.conv(statistic, f"{name}.conv_du.0").relu_(), f"{name}.conv_du.2").sigmoid()

    mean = _mean(image)
    shallow = t.conv(255.0 * (image - mean), "head.0")
    start = x = quarters(shallow)
    for g in range(20):
        y = x
        for b in range(10):
            y = _residual(t, y, f"RG.{g}.rcab.{b}.conv_first.0", f"RG.{g}.rcab.{b}.conv_first.2")
        x = x + t.conv(attention(y, f"RG.{g}.soca"), f"RG.{g}.conv_last") + t["gamma"] * start
    return _tail(t, shallow + quarters(x)) + mean


def han(t: Tensors, image: Tensor) -> Tensor:
    import torch
    import torch.nn.functional as F

    def block(x: Tensor, name: str) -> Tensor:
        y = t.conv(t.conv(x, f"{name}.0").relu_(), f"{name}.2")
        share = t.conv(t.conv(y.mean((2, 3), keepdim=True), f"{name}.3.conv_du.0").relu_(), f"{name}.3.conv_du.2")
        return x + y * share.sigmoid()

    mean = _mean(image)
    shallow = x = t.conv(255.0 * (image - mean), "head.0")
    results = []
    for g in range(10):
        y = x
        for b in range(20):
            y = block(y, f"body.{g}.body.{b}.body")
        x = x + t.conv(y, f"body.{g}.body.20")
        results.append(x)
    x = t.conv(x, "body.10")
    layers = torch.stack([x, *reversed(results)], 1)
    flat = layers.flatten(2)
    energy = flat @ flat.transpose(1, 2)
    weights = (energy.amax(-1, keepdim=True) - energy).softmax(-1)
    mixed = t["la.gamma"] * (weights @ flat).reshape(layers.shape) + layers
    mixed = t.conv(mixed.flatten(1, 2), "last_conv")
    share = F.conv3d(x[:, None], t["csa.conv.weight"], t["csa.conv.bias"], padding=1)[:, 0].sigmoid()
    scaled = x * (t["csa.gamma"] * share) + x
    return _tail(t, shallow + t.conv(torch.cat([scaled, mixed], 1), "last")) + mean


def _tail(t: Tensors, x: Tensor) -> Tensor:
    for i in (0, 2):
        x = shuffle(t.conv(x, f"tail.0.{i}"), 2)
    return t.conv(x, "tail.1") / 255.0
