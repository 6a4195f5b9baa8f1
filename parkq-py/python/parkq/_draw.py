"""Boxes and states drawn on anonymized pictures, and on no others."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageFont

from . import AnonymizedFrame, Detection, Occupancy

_STATES = {"free": "#2e9e5b", "occupied": "#c8463c", "unknown": "#e0a526", "closed": "#8a8f99"}
_LABELS = {"vehicle": "#2f81f7", "person": "#e0a526", "plate": "#c8463c", "face": "#b45cd6"}


def draw(
    frame: AnonymizedFrame,
    *,
    occupancy: Occupancy | None = None,
    detections: Iterable[Detection] = (),
) -> Image.Image:
    """Draw what was read and found on an anonymized picture.

    Args:
        frame: The picture, as `Anonymizer.anonymize_frame` or a pipeline gives it.
        occupancy: The outline of every space of its lot, in the colour of its state.
        detections: A box for each, in the colour of its label.

    Returns:
        A PIL image, RGB, of the frame's size.

    Raises:
        TypeError: for anything but an `AnonymizedFrame`.

    Example:
        >>> lot = parkq.Lot.from_json(parkq.demo_lot())
        >>> outcome = parkq.Pipeline(lot, keep_picture=True).process(parkq.demo_picture())
        >>> parkq.draw(outcome.picture, occupancy=outcome.occupancy).size
        (1280, 800)
    """
    if not isinstance(frame, AnonymizedFrame):
        raise TypeError(f"an AnonymizedFrame is drawn on, not {type(frame).__name__}")
    image = Image.fromarray(frame.to_rgb())
    pen = ImageDraw.Draw(image)
    width, height = image.size
    line = max(2, width // 640)
    font = ImageFont.load_default(size=max(11, width // 90))

    def write(at: tuple[float, float], text: str) -> None:
        pen.text(at, text, "white", font, anchor="mm", stroke_width=2, stroke_fill="black")

    if occupancy is not None:
        for space, reading in zip(occupancy.lot.spaces, occupancy.readings, strict=True):
            quad = [(x * width, y * height) for x, y in space.quad]
            pen.polygon(quad, outline=_STATES[reading.state], width=line)
            write((sum(x for x, _ in quad) / 4, sum(y for _, y in quad) / 4), space.id)
    for found in detections:
        x, y, w, h = found.rect
        pen.rectangle((x, y, x + w, y + h), outline=_LABELS[found.label], width=line)
        if found.label in ("vehicle", "person"):
            write((x + w / 2, y + h / 2), f"{found.score:.2f}")
    return image
