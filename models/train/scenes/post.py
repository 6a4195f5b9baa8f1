"""From linear light to a surveillance picture: lens, weather, sensor, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from camera import Camera
from stage import Picture


@dataclass
class Look:
    """What the air and the camera do to a picture."""

    exposure: float = 0.0  # stops away from the automatic exposure
    fog: float = 0.0  # extinction per metre
    rain: float = 0.0  # 0 to 1
    flakes: float = 0.0  # falling snow, 0 to 1
    noise: float = 0.01
    blur: float = 0.4  # pixels
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    quality: int = 85
    key: float = 0.18  # mean luminance the automatic exposure aims at
    sharpen: float = 0.0


def unbend(picture: Picture, camera: Camera) -> Picture:
    """Apply the lens distortion: colours smoothly, object numbers by the nearest pixel."""
    if camera.k == 0:
        return picture
    x, y = camera.source_grid()
    width, height = camera.size
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    x0, y0 = x.astype(int), y.astype(int)
    fx, fy = (x - x0)[..., None].astype(np.float32), (y - y0)[..., None].astype(np.float32)
    light = picture.light
    top = light[y0, x0] * (1 - fx) + light[y0, x0 + 1] * fx
    bottom = light[y0 + 1, x0] * (1 - fx) + light[y0 + 1, x0 + 1] * fx
    near = (np.rint(y).astype(int), np.rint(x).astype(int))
    return Picture(top * (1 - fy) + bottom * fy, picture.index[near], picture.depth[near])


def develop(rng: np.random.Generator, picture: Picture, look: Look) -> Image.Image:
    """Expose, add weather and sensor faults; returns an 8-bit picture."""
    light = np.clip(np.nan_to_num(picture.light), 0, 1e4)
    weights = np.array([0.21, 0.72, 0.07], np.float32)
    luminance = light @ weights
    middle = np.exp(np.log(luminance + 1e-4).mean())
    bright = np.quantile(luminance, 0.97)
    light = light * (2.0**look.exposure / max(middle / look.key, bright / (look.key * 7), 1e-4))
    if look.fog > 0:
        through = np.exp(-look.fog * np.minimum(picture.depth, 500.0))[..., None]
        light = light * through + look.key * 2.4 * (1 - through)
    light *= np.array(look.balance, np.float32)
    grey = (light @ weights)[..., None]
    light = np.clip(grey + (light - grey) * look.saturation, 0, None)
    height, width = light.shape[:2]
    if look.rain > 0:
        light += _streaks(rng, width, height, look.rain)[..., None] * look.key * 1.2
    if look.flakes > 0:
        light += (_flakes(rng, width, height, look.flakes)[..., None]) * (look.key * 4.5 - light).clip(0)
    # Shot noise grows with the light, read noise does not; both come before the tone curve.
    spread = look.noise * np.sqrt(np.maximum(light, 0) * 0.6 + 0.02)
    fine = rng.normal(size=light.shape).astype(np.float32)
    clumps = np.asarray(Image.fromarray(rng.normal(size=(height // 2, width // 2)).astype(np.float32), "F").resize((width, height), Image.BICUBIC))
    light = np.clip(light + spread * (0.7 * fine + 0.6 * clumps[..., None]), 0, None)
    toned = light * (1 + light / 9.0) / (1 + light * 0.85)  # soft shoulder
    srgb = np.where(toned < 0.0031308, toned * 12.92, 1.055 * np.maximum(toned, 1e-9) ** (1 / 2.4) - 0.055)
    image = Image.fromarray((np.clip(srgb, 0, 1) * 255 + 0.5).astype(np.uint8))
    if look.blur > 0:
        image = image.filter(ImageFilter.GaussianBlur(look.blur))
    if look.sharpen > 0:
        image = image.filter(ImageFilter.UnsharpMask(1.5, int(120 * look.sharpen), 2))
    return image


def _streaks(rng: np.random.Generator, width: int, height: int, amount: float) -> np.ndarray:
    image = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(image)
    slant = rng.normal(0, 0.15)
    for _ in range(int(amount * width * height / 1100)):
        x, y, length = rng.uniform(0, width), rng.uniform(-20, height), rng.uniform(6, 34)
        pen.line([x, y, x + slant * length, y + length], fill=int(rng.uniform(20, 110)), width=1)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.5)), np.float32) / 255


def _flakes(rng: np.random.Generator, width: int, height: int, amount: float) -> np.ndarray:
    image = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(image)
    slant = rng.normal(0, 2.0)
    for _ in range(int(amount * width * height / 1400)):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.exponential(0.8) + 0.5
        pen.line([x, y, x + slant * r, y + 3 * r], fill=int(rng.uniform(60, 230)), width=max(1, int(r)))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)), np.float32) / 255
