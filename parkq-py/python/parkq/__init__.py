"""Which parking spaces are taken, from a camera's picture in memory, keeping no picture.

>>> import parkq
>>> lot = parkq.Lot.from_json(parkq.demo_lot())
>>> outcome = parkq.Pipeline(lot).process(parkq.demo_picture())
>>> len(outcome.occupancy)
30

Pictures. Wherever a picture is taken, these are:

- A NumPy array of dtype uint8 and shape (height, width, 3), RGB; with `format=`:
  "bgr" the same, "rgba" and "bgra" (height, width, 4), alpha is ignored, "gray" (height, width),
  "yuyv" (height, width, 2), "nv12", "nv21" and "i420" (height * 3 / 2, width), as OpenCV has them,
  or a tuple with an array for each plane.
- A PIL image of 8 bits a channel that Pillow converts to RGB; it is turned as Pillow has it, which
  looks at EXIF data, and at XMP where there are none.
- The bytes of a JPEG, PNG or WebP, turned as their EXIF data say.

A C-contiguous array, read-only ones included, is read where it lies. Any other view (a crop,
a flip, every second pixel, Fortran order) is copied once; parkq wipes its copy. Of such views, PIL
images and encoded pictures at most 50 million pixels are read. A gray array may be (height, width,
1), too; what is made of it is (height, width). Don't write to an
array while another thread has parkq read it, and leave one alone that is anonymized in place,
other views of its memory too: the interpreter's lock is released meanwhile.

What cannot be wiped is what Python owns: your arrays and bytes, and the bytes that Pillow makes
when it hands over an image.
"""

from typing import TYPE_CHECKING

from ._errors import (
    DecodeError,
    Error,
    FrameError,
    InferenceError,
    LotError,
    ModelError,
    OptionError,
)
from ._parkq import (
    AnonymizedFrame,
    Anonymizer,
    Detection,
    Detector,
    Estimator,
    Imported,
    Lot,
    ModelInfo,
    Occupancy,
    Outcome,
    Pipeline,
    Reading,
    Redacted,
    RedactedPart,
    Space,
    Stream,
    __version__,
    demo_lot,
    demo_picture,
    row,
)

if TYPE_CHECKING:
    from ._draw import draw
else:

    def __getattr__(name: str) -> object:
        """Import Pillow for `draw` when it is asked for, not before."""
        if name == "draw":
            from ._draw import draw

            return draw
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AnonymizedFrame",
    "Anonymizer",
    "DecodeError",
    "Detection",
    "Detector",
    "Error",
    "Estimator",
    "FrameError",
    "Imported",
    "InferenceError",
    "Lot",
    "LotError",
    "ModelError",
    "ModelInfo",
    "Occupancy",
    "OptionError",
    "Outcome",
    "Pipeline",
    "Reading",
    "Redacted",
    "RedactedPart",
    "Space",
    "Stream",
    "__version__",
    "demo_lot",
    "demo_picture",
    "draw",
    "row",
]
