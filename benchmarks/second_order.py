"""Real-ESRGAN's and BSRGAN's degradations x1/4 of 16x256x256x3: ours, compiled and batched, against NumPy and OpenCV image by image.

Run as `python -m benchmarks.second_order`. The NumPy form is what a data loader does: it draws with NumPy's generator, filters with
`cv2.filter2D`, resizes with `cv2.resize` and compresses with `cv2.imencode`; it computes sizes as they were drawn and nothing else.
The statistics of both forms are compared in the tests.
"""

import cv2
import numpy as np
from scipy import special

METHODS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


def grid(size):
    place = np.arange(size) - size // 2
    return np.meshgrid(place, place)


def quadratic(size, covariance):
    x, y = grid(size)
    inverse = np.linalg.inv(covariance)
    return inverse[0, 0] * x * x + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y * y


def turned(long, short, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.diag([long, short]) @ turn.T


def sinc(cutoff, size):
    x, y = grid(size)
    r = np.hypot(x, y)
    r[size // 2, size // 2] = 1.0
    kernel = cutoff * special.j1(cutoff * r) / (2 * np.pi * r)
    kernel[size // 2, size // 2] = cutoff**2 / (4 * np.pi)
    return kernel / kernel.sum()


def esrgan_kernel(rng, sigma):
    size = 2 * rng.integers(3, 11) + 1
    if rng.random() < 0.1:
        return sinc(rng.uniform(np.pi / 3 if size < 13 else np.pi / 5, np.pi), size)
    kind = rng.choice(6, p=[0.45, 0.25, 0.12, 0.03, 0.12, 0.03])
    long = rng.uniform(*sigma)
    short = rng.uniform(*sigma) if kind % 2 else long
    q = quadratic(size, turned(long**2, short**2, rng.uniform(-np.pi, np.pi)))
    low, high = (0.5, 4.0) if kind < 4 else (1.0, 2.0)
    shape = rng.uniform(low, 1.0) if rng.random() < 0.5 else rng.uniform(1.0, high)
    kernel = np.exp(-0.5 * q) if kind < 2 else np.exp(-0.5 * q**shape) if kind < 4 else 1.0 / (1.0 + q**shape)
    return kernel / kernel.sum()


def filtered(image, kernel):
    return cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT_101)


def resized(rng, image, size):
    return cv2.resize(image, (max(size[1], 1), max(size[0], 1)), interpolation=METHODS[rng.integers(3)])


def factor(rng, probabilities, interval):
    kind = rng.choice(3, p=probabilities)
    return (rng.uniform(1.0, interval[1]), rng.uniform(interval[0], 1.0), 1.0)[kind]


def compressed(image, quality):
    pixels = np.uint8(np.round(np.clip(image, 0.0, 1.0) * 255.0))
    file = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.float32(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1]) / 255.0


def esrgan_noise(rng, image, sigma, scale):
    gray = rng.random() < 0.4
    if rng.random() < 0.5:
        shape = (*image.shape[:2], 1 if gray else 3)
        image = image + np.float32(rng.uniform(*sigma) / 255.0) * rng.standard_normal(shape, dtype=np.float32)
    else:
        light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] if gray else image
        levels = np.round(np.clip(light, 0.0, 1.0) * 255.0)
        peak = 2.0 ** np.ceil(np.log2(len(np.unique(levels))))
        light = levels / 255.0
        image = image + np.float32(rng.uniform(*scale) * (rng.poisson(light * peak) / peak - light))
    return np.clip(image, 0.0, 1.0)


def real_esrgan(rng, image, scale=4):
    height, width = image.shape[:2]
    x = filtered(image, esrgan_kernel(rng, (0.2, 3.0)))
    first = factor(rng, (0.2, 0.7, 0.1), (0.15, 1.5))
    x = resized(rng, x, (int(height * first), int(width * first)))
    x = compressed(esrgan_noise(rng, x, (1.0, 30.0), (0.05, 3.0)), rng.uniform(30, 95))
    if rng.random() < 0.8:
        x = filtered(x, esrgan_kernel(rng, (0.2, 1.5)))
    second = factor(rng, (0.3, 0.4, 0.3), (0.3, 1.2))
    x = esrgan_noise(rng, resized(rng, x, (int(height / scale * second), int(width / scale * second))), (1.0, 25.0), (0.05, 2.5))
    quality, jpeg_first = rng.uniform(30, 95), rng.random() < 0.5
    x = resized(rng, compressed(x, quality) if jpeg_first else x, (height // scale, width // scale))
    if rng.random() < 0.8:
        x = filtered(x, sinc(rng.uniform(np.pi / 3, np.pi), 2 * rng.integers(3, 11) + 1))
    x = x if jpeg_first else compressed(x, quality)
    return np.round(np.clip(x, 0.0, 1.0) * 255.0) / 255.0


def bsrgan(rng, image, scale=4):
    final = image.shape[0] // scale, image.shape[1] // scale
    if scale == 4 and rng.random() < 0.25:
        image, scale = resized(rng, image, (image.shape[0] // 2, image.shape[1] // 2)), 2
    order = list(rng.permutation(7))
    early, late = order.index(2), order.index(3)
    if early > late:
        order[early], order[late] = 3, 2
    for step in order:
        if step in (0, 1):
            image = bsrgan_blur(rng, image, scale)
        elif step == 2 and rng.random() < 0.75:
            divisor = rng.uniform(1.0, 2.0 * scale)
            image = np.clip(resized(rng, image, (int(image.shape[0] / divisor), int(image.shape[1] / divisor))), 0.0, 1.0)
        elif step == 2:
            x, y = grid(25)
            sigma, shift = rng.uniform(0.1, 0.6 * scale), (scale - 1) / 2
            # The Gaussian's middle is the middle of the pixels that one pixel of the result replaces.
            weights = -((x - shift) ** 2 + (y - shift) ** 2) / (2 * sigma**2)
            kernel = np.exp(weights - weights.max())
            image = np.clip(filtered(image, kernel / kernel.sum())[::scale, ::scale], 0.0, 1.0)
        elif step == 3:
            image = np.clip(resized(rng, image, final), 0.0, 1.0)
        elif step == 4:
            image = bsrgan_noise(rng, image)
        elif step == 5 and rng.random() < 0.9:
            image = compressed(image, rng.integers(30, 96))
    return compressed(image, rng.integers(30, 96))


def bsrgan_blur(rng, image, scale):
    size = 2 * rng.integers(2, 12) + 3
    if rng.random() < 0.5:
        covariance = turned(*((4 + scale) * rng.random(2)), np.pi * rng.random())
    else:
        covariance = np.eye(2) * max((2 + 0.2 * scale) * rng.random(), 1e-3) ** 2
    kernel = np.exp(-0.5 * quadratic(size, covariance))
    return filtered(image, kernel / kernel.sum())


def bsrgan_noise(rng, image):
    sigma, kind = np.float32(rng.integers(2, 26) / 255.0), rng.random()
    if 0.4 <= kind <= 0.6:
        turn = np.linalg.svd(rng.random((3, 3)))[0]
        covariance = np.abs((25 / 255) ** 2 * turn.T @ np.diag(rng.random(3)) @ turn)
        noise = rng.multivariate_normal(np.zeros(3), covariance, image.shape[:2], check_valid="ignore").astype(np.float32)
    else:
        noise = sigma * rng.standard_normal((*image.shape[:2], 3 if kind > 0.6 else 1), dtype=np.float32)
    return np.clip(image + noise, 0.0, 1.0)


def main():
    import jax

    from benchmarks import harness
    from jaxrestore import degradations

    place = np.linspace(0.0, 6.0, 512)
    scene = 0.5 + 0.3 * np.sin(place[:, None] ** 2)[..., None] * np.cos(place[None, :, None] * np.arange(1, 4)[None, None, :])
    scene = np.clip(scene + 0.1 * np.random.default_rng(0).standard_normal(scene.shape), 0.0, 1.0).astype(np.float32)
    images = np.stack([scene[16 * i : 16 * i + 256, :256] for i in range(16)])
    on_device, rng, keys = jax.device_put(images), np.random.default_rng(0), iter(jax.random.split(jax.random.key(0), 1000))
    rows = []
    for name, plain in (("real_esrgan", real_esrgan), ("bsrgan", bsrgan)):
        ours = jax.jit(getattr(degradations, name))
        seconds = harness.take_turns(
            {
                "ours": lambda ours=ours: ours(next(keys), on_device).block_until_ready(),
                "NumPy and OpenCV": lambda plain=plain: [plain(rng, image) for image in images],
            },
            rounds=15,
        )
        for way, times in seconds.items():
            per_second = len(images) / float(np.median(times))
            rows.append([name, way, per_second, harness.ratio(seconds["NumPy and OpenCV"], times)])
    harness.write(
        "second_order",
        "Second-order degradations x1/4 of 16 images of 256x256x3",
        "Images a second, and how many times as fast as NumPy and OpenCV image by image: median of the rounds [least-most], other draws in "
        "each round.",
        ("degradation", "way", "images/s", "times as fast"),
        rows,
        harness.machine(),
    )


if __name__ == "__main__":
    main()
