"""Number plates: random texts in the layouts of several countries, drawn into one texture."""

from __future__ import annotations

import string
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CELL = (256, 64)  # texture cell of one plate, pixels
COLUMNS = 4

# name: size in metres, background, ink, blue band, text pattern (A letter, 9 digit)
COUNTRIES = {
    "de": ((0.52, 0.11), (245, 245, 240), (10, 10, 12), True, ("A AA 999", "AA AA 9999", "AAA A 99")),
    "fr": ((0.52, 0.11), (245, 245, 240), (10, 10, 12), True, ("AA-999-AA",)),
    "nl": ((0.52, 0.11), (240, 190, 20), (10, 10, 12), True, ("99-AAA-9", "A-999-AA")),
    "gb": ((0.52, 0.11), (240, 200, 30), (10, 10, 12), False, ("AA99 AAA",)),
    "be": ((0.52, 0.11), (245, 245, 240), (150, 20, 25), True, ("9-AAA-999",)),
    "ch": ((0.50, 0.11), (245, 245, 240), (10, 10, 12), False, ("AA 999999",)),
    "us": ((0.305, 0.152), (235, 238, 245), (20, 30, 110), False, ("AAA 9999", "9AAA999")),
    "br": ((0.40, 0.13), (240, 240, 240), (10, 10, 12), True, ("AAA9A99",)),
    "cn": ((0.44, 0.14), (20, 60, 170), (245, 245, 245), False, ("A A9999", "A 99A99")),
}  # fmt: skip


@lru_cache(maxsize=None)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)  # Pillow's own scalable font: the same on every machine


def draw_plates(rng: np.random.Generator, country: str, count: int) -> tuple[np.ndarray, list[tuple[float, float, float, float]], tuple[float, float]]:
    """Draw `count` plates; returns the texture (row 0 at the bottom), each plate's u0, v0, u1, v1, and the size."""
    size, back, ink, band, patterns = COUNTRIES[country]
    rows = -(-max(count, 1) // COLUMNS)
    sheet = Image.new("RGB", (CELL[0] * COLUMNS, CELL[1] * rows), back)
    spots = []
    for i in range(count):
        pattern = patterns[rng.integers(len(patterns))]
        text = "".join(
            rng.choice(list(string.ascii_uppercase)) if c == "A" else str(rng.integers(10)) if c == "9" else c for c in pattern
        )
        plate = Image.new("RGB", CELL, back)
        pen = ImageDraw.Draw(plate)
        left = 4
        if band:
            pen.rectangle([2, 2, 24, CELL[1] - 3], fill=(20, 50, 150))
            pen.text((13, 50), country.upper()[:2], fill=(240, 240, 240), font=_font(13), anchor="mm")
            pen.ellipse([7, 10, 19, 22], outline=(240, 200, 30), width=2)
            left = 26
        middle = ((left + CELL[0]) / 2, CELL[1] / 2 + (4 if country == "us" else 0))
        if country == "us":
            pen.text((CELL[0] / 2, 8), "STATE", fill=(150, 30, 30), font=_font(12), anchor="mm")
        points = 50
        while pen.textlength(text, font=_font(points)) > CELL[0] - left - 12:
            points -= 2
        pen.text(middle, text, fill=ink, font=_font(points), anchor="mm", stroke_width=1, stroke_fill=ink)
        pen.rectangle([0, 0, CELL[0] - 1, CELL[1] - 1], outline=(40, 40, 40), width=2)
        column, row = i % COLUMNS, i // COLUMNS
        sheet.paste(plate, (column * CELL[0], row * CELL[1]))
        u, v = column / COLUMNS, 1 - (row + 1) / rows
        spots.append((u, v, u + 1 / COLUMNS, v + 1 / rows))
    return np.asarray(sheet)[::-1].copy(), spots, size
