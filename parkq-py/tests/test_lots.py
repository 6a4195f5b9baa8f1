"""Lots from Python, and errors that say what is wrong."""

import json
import pickle

import numpy as np
import parkq
import pytest

QUAD = [(0.1, 0.5), (0.2, 0.5), (0.2, 0.8), (0.1, 0.8)]


def test_a_lot_is_made_of_its_parts() -> None:
    space = parkq.Space("A1", np.array(QUAD), size_m=(2.3, 4.0), max_stay_minutes=30, closed=True)
    lot = parkq.Lot([space], masks=[np.array(QUAD[:3])], name="north")
    assert lot.spaces == [space]
    assert (lot.spaces[0].quad, lot.masks, lot.name) == (tuple(QUAD), [QUAD[:3]], "north")
    assert (space.id, space.size_m, space.max_stay_minutes, space.closed) == (
        "A1",
        (2.3, 4.0),
        30,
        True,
    )
    assert len(lot) == 1
    assert "A1" in repr(space) and "north" in repr(lot)
    assert space.to_dict() == lot.to_dict()["spaces"][0]


def test_a_lot_goes_through_json_and_pickle(lot: parkq.Lot) -> None:
    assert parkq.Lot.from_json(lot.to_json()) == lot
    assert json.loads(lot.to_json()) == lot.to_dict()
    assert pickle.loads(pickle.dumps(lot)) == lot  # noqa: S301
    assert json.loads(parkq.Lot.json_schema())["title"].startswith("parkq lot")


def test_the_plan_has_no_pixels(lot: parkq.Lot) -> None:
    for svg in (lot.to_svg(), lot._repr_svg_()):
        assert svg.startswith("<svg") and svg.count("<polygon") == len(lot) + len(lot.masks)
        assert "<image" not in svg and "data:" not in svg


@pytest.mark.parametrize(
    ("quad", "problem"),
    [
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "sides cross"),
        ([(0, 0), (2, 0), (2, 1), (0, 1)], "not in 0..=1"),
        ([(0, 0), (float("nan"), 0), (1, 1), (0, 1)], "not in 0..=1"),
    ],
)
def test_a_wrong_space_is_named(quad: list[tuple[float, float]], problem: str) -> None:
    with pytest.raises(parkq.LotError, match=problem) as caught:
        parkq.Lot([parkq.Space("B7", quad)])
    assert caught.value.space == "B7"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("quad", [[(0, 0)] * 3, [(0, 0, 0)] * 4, [0, 1, 2, 3], "abcd", 5])
def test_what_is_no_quad_is_a_type_error(quad: object) -> None:
    with pytest.raises(TypeError):
        parkq.Space("A1", quad)  # type: ignore[arg-type]


def test_other_formats_are_read() -> None:
    text = json.dumps([{"points": [[64, 48], [128, 48], [128, 96], [64, 96]]}])
    imported = parkq.Imported.ultralytics(text, 640, 480)
    assert imported.lot.spaces[0].quad[0] == (0.1, 0.1)
    assert imported.occupied == [None]
    with pytest.raises(parkq.LotError, match="not in the file"):
        parkq.Imported.coco('{"images": [], "annotations": []}', "a.jpg")


def test_a_row_is_in_perspective() -> None:
    row = parkq.row([(0.2, 0.0), (0.8, 0.0), (1.0, 1.0), (0.0, 1.0)], 3)
    assert row[0][0] == (0.2, 0.0) and row[2][2] == (1.0, 1.0)
    assert [a[1] for a in row[:-1]] == [b[0] for b in row[1:]]
    assert len(parkq.Lot(parkq.Space(str(i), quad) for i, quad in enumerate(row))) == 3
    with pytest.raises(parkq.OptionError, match="count: 0 is not in"):
        parkq.row(QUAD, 0)
    with pytest.raises(parkq.LotError, match="convex"):
        parkq.row([(0, 0), (1, 0), (0.2, 0.2), (0, 1)], 2)


def test_another_programs_file_is_no_lot() -> None:
    text = json.dumps([{"points": [[64, 48], [128, 48], [128, 96], [64, 96]]}])
    with pytest.raises(parkq.LotError, match="it is a list, as other programs' are"):
        parkq.Lot.from_json(text)


def test_exceptions_have_one_root() -> None:
    for name in ("Frame", "Decode", "Option", "Lot", "Model", "Inference"):
        error = getattr(parkq, f"{name}Error")
        assert issubclass(error, parkq.Error) and error.__module__ == "parkq" and error.__doc__
    assert issubclass(parkq.Error, ValueError)


def test_a_space_is_what_its_repr_and_its_dict_say() -> None:
    quad = [(0.1, 0.1), (0.3, 0.1), (0.3, 0.3), (0.1, 0.3)]
    plain = parkq.Space("A1", quad)
    full = parkq.Space("a\x1b'", quad, size_m=[3, 6.5], max_stay_minutes=30, closed=True)
    for space in (plain, full):
        assert eval(repr(space), {"parkq": parkq}) == space  # noqa: S307
        assert parkq.Space(**space.to_dict()) == space
    assert repr(plain).count("=") == 0
