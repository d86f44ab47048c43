"""Gaussian blur, Sobel edges and sharpening in colour, on a 2-D grid of tiles; pixels beyond the border repeat the edge.

    ./dev run python examples/image_filters.py
"""
import numpy as np

import triton_metal as triton
import triton_metal.language as tl


@triton.jit
def pixel(image_ptr, y, x, height, width):
    y = tl.minimum(tl.maximum(y, 0), height - 1)
    x = tl.minimum(tl.maximum(x, 0), width - 1)
    return tl.load(image_ptr + y * width + x)


@triton.jit
def blur_kernel(image_ptr, weight_ptr, out_ptr, height, width,
                RADIUS: tl.constexpr, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    y = (tl.program_id(1) * BLOCK_Y + tl.arange(0, BLOCK_Y))[:, None]
    x = (tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X))[None, :]
    total = tl.zeros((BLOCK_Y, BLOCK_X), dtype=tl.float32)
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in tl.static_range(-RADIUS, RADIUS + 1):
            weight = tl.load(weight_ptr + dy + RADIUS) * tl.load(weight_ptr + dx + RADIUS)
            total += weight * pixel(image_ptr, y + dy, x + dx, height, width)
    tl.store(out_ptr + y * width + x, total, mask=(y < height) & (x < width))


@triton.jit
def sobel_kernel(image_ptr, out_ptr, height, width, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    y = (tl.program_id(1) * BLOCK_Y + tl.arange(0, BLOCK_Y))[:, None]
    x = (tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X))[None, :]
    gx = tl.zeros((BLOCK_Y, BLOCK_X), dtype=tl.float32)
    gy = tl.zeros((BLOCK_Y, BLOCK_X), dtype=tl.float32)
    for d in tl.static_range(-1, 2):
        gx += (2 - d * d) * (pixel(image_ptr, y + d, x + 1, height, width) - pixel(image_ptr, y + d, x - 1, height, width))
        gy += (2 - d * d) * (pixel(image_ptr, y + 1, x + d, height, width) - pixel(image_ptr, y - 1, x + d, height, width))
    tl.store(out_ptr + y * width + x, tl.sqrt(gx * gx + gy * gy), mask=(y < height) & (x < width))


@triton.jit
def sharpen_kernel(image_ptr, out_ptr, height, width, amount, CHANNELS: tl.constexpr, BLOCK_Y: tl.constexpr, BLOCK_X: tl.constexpr):
    """All channels of a pixel lie side by side, so a tile runs along them: neighbouring lanes read neighbouring values."""
    y = (tl.program_id(1) * BLOCK_Y + tl.arange(0, BLOCK_Y))[:, None]
    column = (tl.program_id(0) * BLOCK_X + tl.arange(0, BLOCK_X))[None, :]
    x, channel = column // CHANNELS, column % CHANNELS
    total = tl.zeros((BLOCK_Y, BLOCK_X), dtype=tl.float32)
    for dy in tl.static_range(-1, 2):
        for dx in tl.static_range(-1, 2):
            beside = tl.minimum(tl.maximum(x + dx, 0), width - 1)
            total += pixel(image_ptr, y + dy, beside * CHANNELS + channel, height, width * CHANNELS)
    value = pixel(image_ptr, y, column, height, width * CHANNELS)
    value += amount * (value - total / 9)
    tl.store(out_ptr + y * width * CHANNELS + column, tl.clamp(value, 0.0, 1.0), mask=(y < height) & (x < width))


RADIUS = 3


def gaussian(radius=RADIUS, sigma=1.5):
    w = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    return w / w.sum()


def blur(image, weights, out, block=(16, 64), device=None):
    """Gaussian blur of a grey fp32 image [height, width] by separable weights [2 radius + 1]."""
    height, width = image.shape
    return blur_kernel[(triton.cdiv(width, block[1]), triton.cdiv(height, block[0]))](
        image, weights, out, height, width, RADIUS=len(weights) // 2, BLOCK_Y=block[0], BLOCK_X=block[1], device=device)


def sobel(image, out, block=(16, 64), device=None):
    """Length of the Sobel gradient of a grey fp32 image [height, width]."""
    height, width = image.shape
    return sobel_kernel[(triton.cdiv(width, block[1]), triton.cdiv(height, block[0]))](
        image, out, height, width, BLOCK_Y=block[0], BLOCK_X=block[1], device=device)


def sharpen(image, out, amount=1.5, block=(16, 64), device=None):
    """Sharpen an fp32 image [height, width, channels] in 0..1: each value moves away from the mean of its 3x3 neighbourhood."""
    height, width, channels = image.shape
    return sharpen_kernel[(triton.cdiv(width * channels, block[1]), triton.cdiv(height, block[0]))](
        image, out, height, width, amount, CHANNELS=channels, BLOCK_Y=block[0], BLOCK_X=block[1], device=device)


def shifted(image, dy, dx):
    """The image moved by (dy, dx), its edges repeated."""
    height, width = image.shape[:2]
    return image[np.clip(np.arange(height) + dy, 0, height - 1)][:, np.clip(np.arange(width) + dx, 0, width - 1)]


def blur_reference(image, weights):
    r = len(weights) // 2
    return sum(weights[dy + r] * weights[dx + r] * shifted(image, dy, dx) for dy in range(-r, r + 1) for dx in range(-r, r + 1))


def sobel_reference(image):
    w = {-1: 1, 0: 2, 1: 1}
    gx = sum(w[d] * (shifted(image, d, 1) - shifted(image, d, -1)) for d in w)
    gy = sum(w[d] * (shifted(image, 1, d) - shifted(image, -1, d)) for d in w)
    return np.sqrt(gx * gx + gy * gy)


def sharpen_reference(image, amount=1.5):
    mean = sum(shifted(image, dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)) / np.float32(9)
    return np.clip(image + np.float32(amount) * (image - mean), 0, 1)


GREY = np.float32([0.299, 0.587, 0.114])


def photograph(size=None):
    """The photograph inside the matplotlib package, in colour, fp32 in 0..1; or a synthetic picture without matplotlib."""
    try:
        import matplotlib.cbook
        import matplotlib.image
        with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
            image = matplotlib.image.imread(file, format="jpg").astype(np.float32) / 255
    except ImportError:
        y, x = np.mgrid[0:600, 0:512].astype(np.float32)
        image = np.stack([0.5 + 0.5 * np.sin(x / period) * np.cos(y / 23) for period in (17, 19, 29)], axis=2)
    if size is not None:  # the middle of the upper half, where the face is
        top, left = image.shape[0] // 6, (image.shape[1] - size) // 2
        image = image[top:top + size, left:left + size]
    return np.ascontiguousarray(image, dtype=np.float32)


def cases(device, rng):
    from cases import Case
    colour = photograph(None if device == "cpu" else 256)
    seen = np.ascontiguousarray(colour @ GREY)
    image = np.tile(seen, (2, 2)) if device == "cpu" else seen  # four copies, to have something to time
    weights = gaussian()
    size = f"{image.shape[0]}x{image.shape[1]}"
    blurred, edges, sharp = np.empty_like(image), np.empty_like(image), np.empty_like(colour)

    def torch_blur(t):
        def run(a, w):
            padded = t.nn.functional.pad(a[None, None], (RADIUS,) * 4, mode="replicate")
            return t.nn.functional.conv2d(padded, (w[:, None] * w[None, :])[None, None])[0, 0]
        return run

    def torch_sobel(t):
        kernel = t.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])

        def run(a):
            padded = t.nn.functional.pad(a[None, None], (1,) * 4, mode="replicate")
            g = t.nn.functional.conv2d(padded, t.stack([kernel, kernel.T])[:, None])[0]
            return (g * g).sum(0).sqrt()
        return run

    def torch_sharpen(t):
        def run(a):
            padded = t.nn.functional.pad(a.permute(2, 0, 1)[None], (1,) * 4, mode="replicate")
            mean = t.nn.functional.avg_pool2d(padded, 3, stride=1)[0].permute(1, 2, 0)
            return (a + 1.5 * (a - mean)).clamp(0, 1)
        return run
    yield Case("gaussian blur 7x7", device, size, blurred, run=lambda: blur(image, weights, blurred, device=device),
               numpy=lambda: blur_reference(image, weights), torch=torch_blur, torch_args=(image, weights),
               bytes=2 * image.nbytes, flops=2 * 49 * image.size, tolerance=1e-5, photograph=seen)
    yield Case("sobel", device, size, edges, run=lambda: sobel(image, edges, device=device), numpy=lambda: sobel_reference(image),
               torch=torch_sobel, torch_args=(image,), bytes=2 * image.nbytes, tolerance=1e-5, photograph=seen)
    yield Case("sharpen, 3 channels", device, f"{colour.shape[0]}x{colour.shape[1]}x3", sharp,
               run=lambda: sharpen(colour, sharp, device=device), numpy=lambda: sharpen_reference(colour),
               torch=torch_sharpen, torch_args=(colour,), bytes=2 * colour.nbytes, tolerance=1e-5, photograph=seen)


if __name__ == "__main__":
    from cases import main
    main(__file__)
