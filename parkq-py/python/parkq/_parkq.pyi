from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar, final, overload

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

_Array: TypeAlias = NDArray[np.uint8]
_Picture: TypeAlias = _Array | tuple[_Array, ...] | Image | bytes | bytearray | memoryview
_Label: TypeAlias = Literal["vehicle", "person", "plate", "face"]
_Cause: TypeAlias = Literal["detected", "fallback", "mask", "remembered"]
_Scores: TypeAlias = float | Mapping[_Label, float]
_Rect: TypeAlias = tuple[float, float, float, float]
_Lent = TypeVar("_Lent", _Array, tuple[_Array, ...])
_Format: TypeAlias = Literal["rgb", "bgr", "rgba", "bgra", "gray", "nv12", "nv21", "i420", "yuyv"]
_Matrix: TypeAlias = Literal["bt601", "bt709"]
_Range: TypeAlias = Literal["limited", "full"]
_State: TypeAlias = Literal["free", "occupied", "unknown", "closed"]
_Unknown: TypeAlias = Literal["masked", "too_small", "unsure", "blank", "redacted"]
_Xy: TypeAlias = tuple[float, float]
_Points: TypeAlias = Iterable[Iterable[float]]

class _Row(TypedDict):
    id: str
    state: _State
    probability: float | None
    pixels_per_metre: float
    unknown: _Unknown | None

class _DetectionRow(TypedDict):
    label: _Label
    score: float
    x: float
    y: float
    width: float
    height: float

class _PartRow(TypedDict):
    label: _Label | None
    cause: _Cause
    x: float
    y: float
    width: float
    height: float

class _RedactedRow(_PartRow):
    leak_bits: float

__all__ = [
    "AnonymizedFrame",
    "Anonymizer",
    "Detection",
    "Detector",
    "Estimator",
    "Imported",
    "Lot",
    "ModelInfo",
    "Occupancy",
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
    "row",
]

__version__: str

def demo_picture() -> bytes: ...
def demo_lot() -> str: ...
def row(quad: _Points, count: int) -> list[tuple[_Xy, _Xy, _Xy, _Xy]]: ...

@final
class Space:
    def __new__(
        cls,
        id: str,
        quad: _Points,
        *,
        size_m: Sequence[float] | None = None,
        max_stay_minutes: int | None = None,
        closed: bool = False,
    ) -> Space: ...
    @property
    def id(self) -> str: ...
    @property
    def quad(self) -> tuple[_Xy, _Xy, _Xy, _Xy]: ...
    @property
    def size_m(self) -> _Xy: ...
    @property
    def max_stay_minutes(self) -> int | None: ...
    @property
    def closed(self) -> bool: ...
    def pixels_per_metre(self, width: int, height: int) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Lot:
    def __new__(
        cls,
        spaces: Iterable[Space] | None = None,
        *,
        masks: Iterable[_Points] | None = None,
        name: str | None = None,
    ) -> Lot: ...
    @staticmethod
    def from_json(json: str) -> Lot: ...
    @staticmethod
    def json_schema() -> str: ...
    def to_json(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_svg(self, aspect: float = ...) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def spaces(self) -> list[Space]: ...
    @property
    def masks(self) -> list[list[_Xy]]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def _repr_svg_(self) -> str: ...
    def __reduce__(self) -> tuple[Any, tuple[str]]: ...

@final
class Imported:
    @property
    def lot(self) -> Lot: ...
    @property
    def occupied(self) -> list[bool | None]: ...
    @staticmethod
    def pklot(xml: str, width: int, height: int) -> Imported: ...
    @staticmethod
    def ultralytics(json: str, width: int, height: int) -> Imported: ...
    @staticmethod
    def acpds(json: str, picture: str) -> Imported: ...
    @staticmethod
    def coco(json: str, picture: str) -> Imported: ...

@final
class ModelInfo:
    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Reading:
    @property
    def id(self) -> str: ...
    @property
    def state(self) -> _State: ...
    @property
    def probability(self) -> float | None: ...
    @property
    def pixels_per_metre(self) -> float: ...
    @property
    def unknown(self) -> _Unknown | None: ...
    def to_dict(self) -> _Row: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Occupancy:
    @property
    def readings(self) -> list[Reading]: ...
    @property
    def model(self) -> ModelInfo: ...
    @property
    def second_look(self) -> ModelInfo | None: ...
    @property
    def lot(self) -> Lot: ...
    @property
    def free(self) -> int: ...
    @property
    def occupied(self) -> int: ...
    def count(self, state: _State) -> int: ...
    @property
    def occupied_interval(self) -> tuple[int, int]: ...
    @staticmethod
    def json_schema() -> str: ...
    def records(self) -> list[_Row]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_json(self) -> str: ...
    def to_svg(self) -> str: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def _repr_svg_(self) -> str: ...
    def _repr_html_(self) -> str: ...

@final
class Estimator:
    def __new__(
        cls,
        lot: Lot,
        *,
        model: bytes | None = None,
        model_name: str = "own",
        free_below: float | None = None,
        occupied_above: float | None = None,
        dispersion: float | None = None,
        min_side: float | None = None,
        max_masked: float | None = None,
        second_look: bool | None = None,
        threads: int | None = None,
    ) -> Estimator: ...
    def occupancy(
        self,
        image: _Picture | AnonymizedFrame,
        *,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
        vehicles: Sequence[Detection] | None = None,
    ) -> Occupancy: ...
    @property
    def lot(self) -> Lot: ...
    @property
    def model(self) -> ModelInfo: ...
    @property
    def options(self) -> dict[str, float]: ...

@final
class Detection:
    @property
    def label(self) -> _Label: ...
    @property
    def score(self) -> float: ...
    @property
    def rect(self) -> _Rect: ...
    def to_dict(self) -> _DetectionRow: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class Detector:
    def __new__(
        cls,
        *,
        model: bytes | None = None,
        model_name: str = "own",
        spec: str | None = None,
        min_score: _Scores | None = None,
        max_overlap: float | None = None,
        max_detections: int | None = None,
        tiling: Literal["whole", "auto", "full"] | None = None,
        threads: int | None = None,
    ) -> Detector: ...
    def detect(
        self,
        image: _Picture | AnonymizedFrame,
        *,
        lot: Lot | None = None,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> list[Detection]: ...
    @property
    def model(self) -> ModelInfo: ...
    @property
    def options(self) -> dict[str, Any]: ...

@final
class Redacted:
    @property
    def label(self) -> _Label | None: ...
    @property
    def cause(self) -> _Cause: ...
    @property
    def rect(self) -> _Rect: ...
    @property
    def leak_bits(self) -> float: ...
    @property
    def parts(self) -> list[RedactedPart]: ...
    def to_dict(self) -> _RedactedRow: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class RedactedPart:
    @property
    def label(self) -> _Label | None: ...
    @property
    def cause(self) -> _Cause: ...
    @property
    def rect(self) -> _Rect: ...
    def to_dict(self) -> _PartRow: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...

@final
class AnonymizedFrame:
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def format(self) -> _Format: ...
    @property
    def redactions(self) -> list[Redacted]: ...
    def to_rgb(self) -> _Array: ...
    def to_jpeg(self, quality: int = 90) -> bytes: ...
    def to_png(self) -> bytes: ...
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def _repr_jpeg_(self) -> bytes: ...

@final
class Anonymizer:
    def __new__(
        cls,
        detector: Detector | None = None,
        *,
        lot: Lot | None = None,
        plates: bool | None = None,
        faces: bool | None = None,
        persons: bool | None = None,
        scores: _Scores | None = None,
        sure_plate: float | None = None,
        plate_margin: float | None = None,
        face_margin: float | None = None,
        person_margin: float | None = None,
        head_margin: float | None = None,
        min_margin: float | None = None,
        fallback: Literal["plate_zone", "whole_vehicle", "off"] | None = None,
        plate_zone: Sequence[float] | None = None,
        min_pixels_per_metre: float | None = None,
        fill: Iterable[int] | Literal["surroundings"] | None = None,
        mosaic: Iterable[int] | None = None,
        max_leak_bits: float | None = None,
    ) -> Anonymizer: ...
    @overload
    def anonymize(
        self,
        image: _Picture,
        *,
        inplace: Literal[False] = False,
        return_redactions: Literal[False] = False,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> _Array: ...
    @overload
    def anonymize(
        self,
        image: _Lent,
        *,
        inplace: Literal[True],
        return_redactions: Literal[False] = False,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> _Lent: ...
    @overload
    def anonymize(
        self,
        image: _Picture,
        *,
        inplace: Literal[False] = False,
        return_redactions: Literal[True],
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> tuple[_Array, list[Redacted]]: ...
    @overload
    def anonymize(
        self,
        image: _Lent,
        *,
        inplace: Literal[True],
        return_redactions: Literal[True],
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> tuple[_Lent, list[Redacted]]: ...
    @overload
    def anonymize(
        self,
        image: _Array | tuple[_Array, ...],
        *,
        inplace: bool = False,
        return_redactions: bool = False,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> Any: ...
    def anonymize_frame(
        self,
        image: _Picture,
        *,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> AnonymizedFrame: ...
    @property
    def options(self) -> dict[str, Any]: ...

@final
class Stream:
    def __new__(
        cls,
        anonymizer: Anonymizer,
        *,
        keep_frames: int | None = None,
        reach: float | None = None,
    ) -> Stream: ...
    @overload
    def anonymize(
        self,
        image: _Picture,
        *,
        inplace: Literal[False] = False,
        return_redactions: Literal[False] = False,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> _Array: ...
    @overload
    def anonymize(
        self,
        image: _Lent,
        *,
        inplace: Literal[True],
        return_redactions: Literal[False] = False,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> _Lent: ...
    @overload
    def anonymize(
        self,
        image: _Picture,
        *,
        inplace: Literal[False] = False,
        return_redactions: Literal[True],
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> tuple[_Array, list[Redacted]]: ...
    @overload
    def anonymize(
        self,
        image: _Lent,
        *,
        inplace: Literal[True],
        return_redactions: Literal[True],
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> tuple[_Lent, list[Redacted]]: ...
    @overload
    def anonymize(
        self,
        image: _Array | tuple[_Array, ...],
        *,
        inplace: bool = False,
        return_redactions: bool = False,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> Any: ...
    def anonymize_frame(
        self,
        image: _Picture,
        *,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> AnonymizedFrame: ...

@final
class Outcome:
    @property
    def occupancy(self) -> Occupancy: ...
    @property
    def picture(self) -> AnonymizedFrame | None: ...
    @property
    def redactions(self) -> list[Redacted]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def _repr_html_(self) -> str: ...

@final
class Pipeline:
    def __new__(
        cls,
        reader: Lot | Estimator,
        anonymizer: Anonymizer | None = None,
        *,
        keep_picture: bool = False,
    ) -> Pipeline: ...
    def process(
        self,
        image: _Picture,
        *,
        inplace: bool = False,
        format: _Format = "rgb",
        matrix: _Matrix = "bt601",
        range: _Range = "limited",
    ) -> Outcome: ...
    @property
    def lot(self) -> Lot: ...
