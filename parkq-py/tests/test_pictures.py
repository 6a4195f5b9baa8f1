"""Whatever holds a picture is read as the same picture; whatever holds none is refused."""

import io
from collections.abc import Callable

import numpy as np
import parkq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

Array = np.ndarray


@pytest.fixture(scope="module")
def reader() -> parkq.Estimator:
    quads = [[(x, 0.1), (x + 0.4, 0.1), (x + 0.4, 0.9), (x, 0.9)] for x in (0.05, 0.55)]
    lot = parkq.Lot(parkq.Space(str(i), quad) for i, quad in enumerate(quads))
    return parkq.Estimator(lot, threads=1)


def test_arrays_pil_and_bytes_agree(estimator: parkq.Estimator, scene: Array) -> None:
    expected = estimator.occupancy(parkq.demo_picture())
    png = io.BytesIO()
    Image.fromarray(scene).save(png, "png")
    for picture in (png.getvalue(), bytearray(png.getvalue()), memoryview(png.getvalue())):
        assert estimator.occupancy(picture) == estimator.occupancy(scene)
    assert estimator.occupancy(Image.fromarray(scene)) == estimator.occupancy(scene)
    assert [r.state for r in estimator.occupancy(scene).readings] == [
        r.state for r in expected.readings
    ]
    # Pillow decodes JPEGs a little otherwise.
    pairs = zip(estimator.occupancy(scene).readings, expected.readings, strict=True)
    assert all(abs((a.probability or 0) - (b.probability or 0)) < 0.03 for a, b in pairs)


def test_a_turned_photograph_is_turned(reader: parkq.Estimator, small: Array) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, jpeg = Image.fromarray(np.ascontiguousarray(np.rot90(small))), io.BytesIO()
    turned.save(jpeg, "png", exif=exif)
    assert reader.occupancy(Image.open(io.BytesIO(jpeg.getvalue()))) == reader.occupancy(small)
    assert reader.occupancy(jpeg.getvalue()) == reader.occupancy(small)


VIEWS: dict[str, Callable[[Array], Array]] = {
    "fortran": np.asfortranarray,
    "flipped twice": lambda a: np.ascontiguousarray(a[::-1])[::-1],
    "mirrored": lambda a: np.ascontiguousarray(a[:, ::-1])[:, ::-1],
    "crop": lambda a: np.pad(a, ((3, 2), (5, 4), (0, 0)))[3:-2, 5:-4],
    "every second": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2],
    "transposed": lambda a: np.ascontiguousarray(a.transpose(1, 0, 2)).transpose(1, 0, 2),
}


@pytest.mark.parametrize("view", VIEWS)
def test_strides_do_not_matter(reader: parkq.Estimator, small: Array, view: str) -> None:
    array = VIEWS[view](small)
    assert not array.flags.c_contiguous
    assert np.array_equal(array, small)
    assert reader.occupancy(array) == reader.occupancy(small)


def test_a_read_only_array_is_read(reader: parkq.Estimator, small: Array) -> None:
    locked = small.copy()
    locked.flags.writeable = False
    assert reader.occupancy(locked) == reader.occupancy(small)


def planes(gray: Array, chroma: Array, kind: str) -> tuple[Array, ...]:
    """A picture in gray with the given chroma (height / 2, width / 2, 2), as separate planes."""
    if kind == "i420":
        return gray, np.ascontiguousarray(chroma[..., 0]), np.ascontiguousarray(chroma[..., 1])
    return gray, chroma if kind == "nv12" else np.ascontiguousarray(chroma[..., ::-1])


def test_formats_agree(reader: parkq.Estimator, small: Array) -> None:
    rgb = reader.occupancy(small)
    alpha = np.full((*small.shape[:2], 1), 7, np.uint8)
    assert reader.occupancy(small[..., ::-1], format="bgr") == rgb
    assert reader.occupancy(np.concatenate([small, alpha], 2), format="rgba") == rgb
    assert reader.occupancy(np.concatenate([small[..., ::-1], alpha], 2), format="bgra") == rgb
    gray = np.ascontiguousarray(small[..., 1])
    expected = reader.occupancy(np.repeat(gray[..., None], 3, 2))
    assert reader.occupancy(gray, format="gray") == expected
    assert reader.occupancy(gray[..., None], format="gray") == expected
    neutral = np.full((gray.shape[0] // 2, gray.shape[1] // 2, 2), 128, np.uint8)
    yuyv = np.dstack([gray, np.full_like(gray, 128)])
    assert reader.occupancy(yuyv, format="yuyv", range="full") == expected
    for kind in ("nv12", "nv21", "i420"):
        apart = planes(gray, neutral, kind)
        packed = np.concatenate([plane.ravel() for plane in apart]).reshape(-1, gray.shape[1])
        for picture in (
            apart,
            packed,
            packed[::-1][::-1],
            tuple(np.asfortranarray(p) for p in apart),
        ):
            assert reader.occupancy(picture, format=kind, range="full") == expected
    colour = np.random.default_rng(1).integers(0, 255, neutral.shape, np.uint8)
    for matrix in ("bt601", "bt709"):
        same = [
            reader.occupancy(planes(gray, colour, kind), format=kind, matrix=matrix)
            for kind in ("nv12", "nv21", "i420")
        ]
        assert same[0] == same[1] == same[2]


WRONG = [
    (np.zeros((4, 4, 3)), "rgb", "dtype is float64, uint8 is needed"),
    (np.zeros((4, 4, 3), bool), "rgb", "dtype is bool"),
    (np.zeros((4, 4), np.uint8), "rgb", r"shape is \(4, 4\), RGB8 needs \(height, width, 3\)"),
    (np.zeros((4, 4, 4), np.uint8), "bgr", "BGR8 needs"),
    (np.zeros(48, np.uint8), "rgb", r"shape is \(48,\)"),
    (np.zeros((), np.uint8), "rgb", r"shape is \(\)"),
    (np.zeros((0, 4, 3), np.uint8), "rgb", "size is 4x0, at least 1x1 is needed"),
    (np.zeros((1, 40_000, 3), np.uint8), "rgb", "at most 32768x32768"),
    (np.zeros((7, 4), np.uint8), "nv12", r"\(height \* 3 / 2, width\)"),
    (np.zeros((6, 5), np.uint8), "nv12", "size is 5x4, NV12 needs multiples of 2x2"),
    ((np.zeros((4, 4), np.uint8),), "i420", "shape is|size is"),
    ((np.zeros((4, 4), np.uint8), np.zeros((2, 3), np.uint8)), "nv12", r"\(4, 4\) and \(2, 3\)"),
    (
        np.broadcast_to(np.uint8(0), (30_000, 30_000, 3)),
        "rgb",
        "900000000 pixels, at most 50000000 that do not lie",
    ),
    ((), "rgb", "shape"),
]


@pytest.mark.parametrize(("array", "format_", "problem"), WRONG)
def test_what_holds_no_picture_is_refused(
    reader: parkq.Estimator, array: Array, format_: str, problem: str
) -> None:
    with pytest.raises(parkq.FrameError, match=problem):
        reader.occupancy(array, format=format_)


@pytest.mark.parametrize("mode", ["I", "I;16", "F"])
def test_what_pillow_would_cut_off_is_refused(reader: parkq.Estimator, mode: str) -> None:
    with pytest.raises(parkq.FrameError, match=f"the image's mode is {mode}, 8 bits a channel"):
        reader.occupancy(Image.new(mode, (64, 48)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_every_other_mode_is_read(reader: parkq.Estimator, small: Array, mode: str) -> None:
    image = Image.fromarray(small).convert(mode)
    assert reader.occupancy(image) == reader.occupancy(np.asarray(image.convert("RGB")))


def test_an_image_that_is_not_loaded_yet_has_the_limit_of_bytes(reader: parkq.Estimator) -> None:
    png = io.BytesIO()
    Image.new("1", (8000, 8000)).save(png, "png")
    image = Image.open(png)
    with pytest.raises(parkq.FrameError, match="64000000 pixels, at most 50000000"):
        reader.occupancy(image)
    assert image.fp is not None, "it was not loaded"


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif"])
def test_what_pillow_cannot_decode_is_a_decode_error(
    reader: parkq.Estimator, small: Array, kind: str
) -> None:
    file = io.BytesIO()
    Image.fromarray(small).save(file, kind)
    image = Image.open(io.BytesIO(file.getvalue()[: file.tell() // 2]))
    with pytest.raises(parkq.DecodeError, match="Pillow cannot decode the image") as caught:
        reader.occupancy(image)
    assert isinstance(caught.value.__cause__, OSError), "it is what Pillow said"
    closed = Image.open(io.BytesIO(file.getvalue()))
    closed.close()
    with pytest.raises(parkq.DecodeError) as caught:
        reader.occupancy(closed)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("thing", [None, "scene.jpg", 3, [[1, 2, 3]], object()])
def test_other_things_are_type_errors(reader: parkq.Estimator, thing: object) -> None:
    with pytest.raises(TypeError, match="a picture is a uint8 array"):
        reader.occupancy(thing)  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", [b"", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n" * 9])
def test_damaged_bytes_are_refused(reader: parkq.Estimator, damage: bytes) -> None:
    with pytest.raises(parkq.DecodeError, match="picture: "):
        reader.occupancy(damage)
    with pytest.raises(parkq.DecodeError, match="ends after"):
        reader.occupancy(parkq.demo_picture()[:9000])


def test_words_are_checked(reader: parkq.Estimator, small: Array) -> None:
    for name in ("format", "matrix", "range"):
        with pytest.raises(parkq.OptionError, match=f'option {name}: "x" is not in'):
            reader.occupancy(small, **{name: "x"})
    with pytest.raises(parkq.FrameError, match="an encoded picture is RGB8"):
        reader.occupancy(parkq.demo_picture(), format="bgr")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_view_reads_as_its_copy(data: st.DataObject) -> None:
    """Shapes, dtypes and strides at random: the answer is that of a contiguous copy, or a
    FrameError; never a crash."""
    reader = parkq.Estimator(
        parkq.Lot([parkq.Space("A", [(0, 0), (1, 0), (1, 1), (0, 1)])]), threads=1
    )
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40))
    if data.draw(st.booleans()):
        shape = (*shape[:2], 3)
    base = (
        np.random.default_rng(0)
        .integers(0, 255, shape)
        .astype(data.draw(st.sampled_from(["u1", "u1", "u1", "i1", "u2", "f4", "?"])))
    )
    view = base
    if base.ndim:
        view = np.asarray(base[data.draw(hnp.basic_indices(base.shape))])
        view = view.transpose(data.draw(st.permutations(range(view.ndim))))
    format_ = data.draw(st.sampled_from(["rgb", "bgr", "gray", "rgba", "nv12", "i420", "yuyv"]))
    try:
        found = reader.occupancy(view, format=format_)
    except parkq.FrameError:
        with pytest.raises(parkq.FrameError):
            reader.occupancy(np.array(view, order="C"), format=format_)
    else:
        assert found == reader.occupancy(np.array(view, order="C"), format=format_)
