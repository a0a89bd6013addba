"""Networks in plain PyTorch, with the module names of their references, for comparisons of speed.

PyTorch is imported only when one is built. Those that the package spandrel has are taken from it; the others are written from the papers.
"""

from collections.abc import Callable
from typing import Any

Network = Any


def dncnn() -> Network:
    """DnCNN for grey images, batch normalisation merged: it gives the image less the noise."""
    from torch import nn

    class DnCNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers = [nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(inplace=True)]
            for _ in range(15):
                layers += [nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(inplace=True)]
            self.model = nn.Sequential(*layers, nn.Conv2d(64, 1, 3, padding=1))

        def forward(self, image):
            return image - self.model(image)

    return DnCNN()


def edsr(scale: int = 4, features: int = 64, depth: int = 16) -> Network:
    """EDSR's baseline, on [0, 1] with the mean of DIV2K taken off as our network has it."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(features, features, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(features, features, 3, padding=1)
            )

        def forward(self, x):
            return x + self.body(x)

    class EDSR(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1), persistent=False)
            self.head = nn.Sequential(nn.Conv2d(3, features, 3, padding=1))
            self.body = nn.Sequential(*(Block() for _ in range(depth)), nn.Conv2d(features, features, 3, padding=1))
            stages = []
            for _ in range({2: 1, 4: 2}[scale]):
                stages += [nn.Conv2d(features, 4 * features, 3, padding=1), nn.PixelShuffle(2)]
            self.tail = nn.Sequential(nn.Sequential(*stages), nn.Conv2d(features, 3, 3, padding=1))

        def forward(self, image):
            x = self.head(255.0 * (image - self.mean))
            return self.tail(x + self.body(x)) / 255.0 + self.mean

    return EDSR()


def unet(features: int = 64, levels: int = 4) -> Network:
    """U-Net with padding, batch normalisation and transposed convolutions."""
    import torch
    from torch import nn

    def double(channels: int, width: int) -> nn.Module:
        module, layers = nn.Module(), []
        for given in (channels, width):
            layers += [nn.Conv2d(given, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        module.double_conv = nn.Sequential(*layers)
        return module

    class Up(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.up, self.conv = nn.ConvTranspose2d(2 * width, width, 2, 2), double(2 * width, width)

        def forward(self, x, skip):
            return self.conv.double_conv(torch.cat([skip, self.up(x)], 1))

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inc = double(3, features)
            for level in range(1, levels + 1):
                width = features * 2**level
                down = nn.Module()
                down.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), double(width // 2, width))
                setattr(self, f"down{level}", down)
                setattr(self, f"up{levels + 1 - level}", Up(width // 2))
            self.outc = nn.Module()
            self.outc.conv = nn.Conv2d(features, 3, 1)

        def forward(self, image):
            skips = [self.inc.double_conv(image)]
            for level in range(1, levels + 1):
                pool, block = getattr(self, f"down{level}").maxpool_conv
                skips.append(block.double_conv(pool(skips[-1])))
            x = skips.pop()
            for level in range(1, levels + 1):
                x = getattr(self, f"up{level}")(x, skips.pop())
            return self.outc.conv(x)

    return UNet()


def restormer(features: int = 48, blocks: tuple[int, ...] = (4, 6, 6, 8), refinement: int = 4, centred: bool = False) -> Network:
    """Restormer without biases in the convolutions."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Norm(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.body = nn.Module()
            self.body.weight = nn.Parameter(torch.ones(width))
            if centred:
                self.body.bias = nn.Parameter(torch.zeros(width))

        def forward(self, x):
            x = x.permute(0, 2, 3, 1)
            if centred:
                x = F.layer_norm(x, x.shape[-1:], self.body.weight, self.body.bias)
            else:
                x = x / torch.sqrt(x.var(-1, keepdim=True, unbiased=False) + 1e-5) * self.body.weight
            return x.permute(0, 3, 1, 2)

    class Attention(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads = heads
            self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
            self.qkv = nn.Conv2d(width, 3 * width, 1, bias=False)
            self.qkv_dwconv = nn.Conv2d(3 * width, 3 * width, 3, padding=1, groups=3 * width, bias=False)
            self.project_out = nn.Conv2d(width, width, 1, bias=False)

        def forward(self, x):
            batch, width, height, columns = x.shape
            parts = self.qkv_dwconv(self.qkv(x)).chunk(3, 1)
            query, key, value = (part.reshape(batch, self.heads, width // self.heads, height * columns) for part in parts)
            query, key = F.normalize(query, dim=-1), F.normalize(key, dim=-1)
            weights = (query @ key.transpose(-2, -1) * self.temperature).softmax(-1)
            return self.project_out((weights @ value).reshape(batch, width, height, columns))

    class FeedForward(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            hidden = int(2.66 * width)
            self.project_in = nn.Conv2d(width, 2 * hidden, 1, bias=False)
            self.dwconv = nn.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden, bias=False)
            self.project_out = nn.Conv2d(hidden, width, 1, bias=False)

        def forward(self, x):
            gate, x = self.dwconv(self.project_in(x)).chunk(2, 1)
            return self.project_out(F.gelu(gate) * x)

    class Block(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.norm1, self.attn, self.norm2, self.ffn = Norm(width), Attention(width, heads), Norm(width), FeedForward(width)

        def forward(self, x):
            x = x + self.attn(self.norm1(x))
            return x + self.ffn(self.norm2(x))

    def stack(count: int, level: int, width: int) -> nn.Sequential:
        return nn.Sequential(*(Block(width, 2**level) for _ in range(count)))

    def resample(width: int, out: int, layer: nn.Module) -> nn.Module:
        module = nn.Module()
        module.body = nn.Sequential(nn.Conv2d(width, out, 3, padding=1, bias=False), layer)
        return module

    class Restormer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patch_embed = nn.Module()
            self.patch_embed.proj = nn.Conv2d(3, features, 3, padding=1, bias=False)
            for level in range(3):
                width = features * 2**level
                setattr(self, f"encoder_level{level + 1}", stack(blocks[level], level, width))
                setattr(self, f"down{level + 1}_{level + 2}", resample(width, width // 2, nn.PixelUnshuffle(2)))
                setattr(self, f"up{level + 2}_{level + 1}", resample(2 * width, 4 * width, nn.PixelShuffle(2)))
                if level > 0:
                    setattr(self, f"reduce_chan_level{level + 1}", nn.Conv2d(2 * width, width, 1, bias=False))
                setattr(self, f"decoder_level{level + 1}", stack(blocks[level], level, width if level else 2 * width))
            self.latent = stack(blocks[3], 3, 8 * features)
            self.refinement = stack(refinement, 0, 2 * features)
            self.output = nn.Conv2d(2 * features, 3, 3, padding=1, bias=False)

        def forward(self, image):
            x, skips = self.patch_embed.proj(image), []
            for level in (1, 2, 3):
                skips.append(getattr(self, f"encoder_level{level}")(x))
                x = getattr(self, f"down{level}_{level + 1}").body(skips[-1])
            x = self.latent(x)
            for level in (3, 2, 1):
                x = torch.cat([getattr(self, f"up{level + 1}_{level}").body(x), skips[level - 1]], 1)
                x = getattr(self, f"reduce_chan_level{level}")(x) if level > 1 else x
                x = getattr(self, f"decoder_level{level}")(x)
            return image + self.output(self.refinement(x))

    return Restormer()


def cvt(features: tuple[int, ...] = (64, 192, 384), depths: tuple[int, ...] = (1, 2, 10), heads: tuple[int, ...] = (1, 3, 6)) -> Network:
    """CvT-13 with its class token; it takes an image in [0, 1] as our network does."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Projection(nn.Module):
        def __init__(self, width: int, stride: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False)
            self.bn = nn.BatchNorm2d(width)

        def forward(self, token, pixels, size):
            x = pixels.transpose(1, 2).reshape(pixels.shape[0], -1, *size)
            return torch.cat([token, self.bn(self.conv(x)).flatten(2).transpose(1, 2)], 1)

    class Attention(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.heads, self.scale = heads, width**-0.5
            for letter, stride in (("q", 1), ("k", 2), ("v", 2)):
                setattr(self, f"conv_proj_{letter}", Projection(width, stride))
                setattr(self, f"proj_{letter}", nn.Linear(width, width))
            self.proj = nn.Linear(width, width)

        def forward(self, x, tokens, size):
            parts = []
            for letter in "qkv":
                part = getattr(self, f"conv_proj_{letter}")(x[:, :tokens], x[:, tokens:], size)
                part = getattr(self, f"proj_{letter}")(part)
                parts.append(part.reshape(part.shape[0], part.shape[1], self.heads, -1).transpose(1, 2))
            seen = F.scaled_dot_product_attention(*parts, scale=self.scale)
            return self.proj(seen.transpose(1, 2).flatten(2))

    class Block(nn.Module):
        def __init__(self, width: int, heads: int) -> None:
            super().__init__()
            self.norm1, self.attn, self.norm2 = nn.LayerNorm(width), Attention(width, heads), nn.LayerNorm(width)
            self.mlp = nn.Module()
            self.mlp.fc1, self.mlp.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x, tokens, size):
            x = x + self.attn(self.norm1(x), tokens, size)
            hidden = self.mlp.fc1(self.norm2(x))
            return x + self.mlp.fc2(hidden * torch.sigmoid(1.702 * hidden))

    class Stage(nn.Module):
        def __init__(self, number: int, width_in: int) -> None:
            super().__init__()
            width = features[number]
            self.patch_embed = nn.Module()
            self.patch_embed.proj = nn.Conv2d(width_in, width, 7, 4, 2) if number == 0 else nn.Conv2d(width_in, width, 3, 2, 1)
            self.patch_embed.norm = nn.LayerNorm(width)
            self.blocks = nn.ModuleList(Block(width, heads[number]) for _ in range(depths[number]))
            self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if number == 2 else None

        def forward(self, x):
            x = self.patch_embed.proj(x)
            size, tokens = x.shape[2:], 0
            x = self.patch_embed.norm(x.flatten(2).transpose(1, 2))
            if self.cls_token is not None:
                x, tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1), 1
            for block in self.blocks:
                x = block(x, tokens, size)
            pixels = x[:, tokens:].transpose(1, 2).reshape(x.shape[0], -1, *size)
            return pixels, x[:, :tokens]

    class CvT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, values in {"mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]}.items():
                self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)
            for number, width_in in enumerate((3, *features[:2])):
                setattr(self, f"stage{number}", Stage(number, width_in))
            self.norm, self.head = nn.LayerNorm(features[2]), nn.Linear(features[2], 1000)

        def forward(self, image):
            x = (image - self.mean) / self.deviation
            for number in range(3):
                x, token = getattr(self, f"stage{number}")(x)
            return self.head(self.norm(token)[:, 0])

    return CvT()


def from_spandrel(architecture: str, name: str, **fields: Any) -> Callable[[], Network]:
    """A builder of a network of the package spandrel: module `spandrel.architectures.<architecture>`, class `name`."""

    def build() -> Network:
        from importlib import import_module

        return getattr(import_module(f"spandrel.architectures.{architecture}"), name)(**fields)

    return build
