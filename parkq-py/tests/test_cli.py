"""The command line: files, folders, globs, formats, exit codes."""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import parkq
import pytest
from click.testing import CliRunner, Result
from conftest import DATA
from parkq import _editor
from parkq._cli import _size, main
from PIL import Image

SCENE, LOT = str(DATA / "scene.jpg"), str(DATA / "scene.lot.json")


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small = Image.open(SCENE).resize((320, 200))
    (tmp_path / "deep").mkdir()
    small.save(tmp_path / "a.jpg")
    small.save(tmp_path / "deep" / "a.png")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_demo_runs_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "parkq", "demo", "-o", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.count("\n") == 33 and "95 % interval" in out
    assert (tmp_path / "plan.svg").read_text().startswith("<svg")
    assert _size(tmp_path / "scene.jpg") == (1280, 800)


def test_occupancy_in_three_styles(folder: Path) -> None:
    words = run("occupancy", SCENE, "--lot", LOT)
    assert "free" in words.stdout and words.stdout.startswith(SCENE)
    record = json.loads(run("occupancy", SCENE, "--lot", LOT, "--json").stdout)
    assert record["picture"] == SCENE and len(record["readings"]) == 30
    table = run("occupancy", SCENE, "--lot", LOT, "--csv", "-o", folder / "out.csv")
    assert table.stdout == ""
    rows = list(csv.DictReader((folder / "out.csv").read_text().splitlines()))
    assert len(rows) == 30 and rows[0]["picture"] == SCENE and rows[0]["state"] in (
        "free", "occupied", "unknown",
    )  # fmt: skip


def test_one_bad_picture_stops_nothing(folder: Path) -> None:
    result = run("occupancy", folder, "--lot", LOT, "--json", code=1)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["picture"] for line in lines] == [
        str(folder / "a.jpg"), str(folder / "deep" / "a.png"),
    ]  # fmt: skip
    assert "bad.jpg: picture: the bytes are no JPEG" in result.stderr


def test_globs_are_expanded_and_nothing_found_is_an_error(folder: Path) -> None:
    assert len(run("detect", folder / "**/a.*").stdout.splitlines()) == 2
    run("detect", folder / "*.webp", code=2)
    assert "No such file" in run("detect", folder / "missing.jpg", code=1).stderr
    run("detect", code=2)
    run("occupancy", SCENE, code=2)
    assert run("occupancy", SCENE, "--lot", folder / "notes.txt", code=1).stderr.count("lot: ") == 1
    assert run("occupancy", SCENE, "--lot", SCENE, code=1).stderr.startswith(f"{SCENE}: 'utf-8'")


def test_a_missing_picture_stops_no_other(folder: Path) -> None:
    for _ in range(2):  # the second time there is a file to be replaced
        result = run("anonymize", SCENE, folder / "missing.jpg", "-o", folder / "out", code=1)
        assert "No such file" in result.stderr
        assert [path.name for path in (folder / "out").glob("*.jpg")] == ["scene.jpg"]


def test_a_file_that_is_named_twice_is_read_once(folder: Path) -> None:
    a = folder / "a.jpg"
    assert run("detect", a, folder / "a.*", a).stdout.count("\n") == 1


def test_names_are_whatever_the_system_has(folder: Path) -> None:
    odd = folder / "sp ace [1]" / "\u00fcn\u00ef \u7a7a.jpg"
    odd.parent.mkdir()
    (folder / "a.jpg").rename(odd)
    assert run("detect", odd).stdout.startswith(str(odd))
    assert json.loads(run("detect", odd.parent, "--json").stdout)["picture"] == str(odd)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_a_name_that_is_no_text_is_escaped(folder: Path) -> None:
    odd = os.fsencode(folder) + b"/\xff.jpg"
    os.rename(folder / "a.jpg", odd)  # noqa: PTH104
    command = [sys.executable, "-m", "parkq", "anonymize", odd, "-o", folder / "out"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert rb"\udcff.jpg: " in done.stdout
    table = run("detect", os.fsdecode(odd), "--csv").stdout
    assert table.splitlines()[0].startswith("picture,label")


def test_a_folder_that_cannot_be_made_is_an_error(folder: Path) -> None:
    for command in (["anonymize", SCENE, "-o"], ["detect", SCENE, "--draw"]):
        result = run(*command, folder / "notes.txt", code=1)
        assert result.stderr == f"{folder / 'notes.txt'}: File exists\n"


def test_an_interrupt_ends_it(folder: Path) -> None:
    pictures = [folder / f"{i}.jpg" for i in range(200)]
    for picture in pictures:
        picture.hardlink_to(folder / "a.jpg")
    command = [sys.executable, "-m", "parkq", "detect", *pictures]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background may ignore it, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert child.stdout and child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, problem = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 1 and "Aborted!" in problem and "Traceback" not in problem


def test_anonymize_writes_pictures_without_people(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("anonymize", folder / "a.jpg", folder / "deep", "-o", out, "--json", "--png")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert sorted(p.name for p in out.iterdir()) == ["a-2.png", "a.png"]
    for line in lines:
        before = np.asarray(Image.open(line["picture"]))
        after = np.asarray(Image.open(line["anonymized"]))
        assert after.shape == before.shape
        assert len(line["redactions"]) == 0 or not np.array_equal(before, after)
    run("anonymize", folder / "a.jpg", "-o", folder, code=2)  # would replace its source
    (tmp_path / "new").mkdir()
    Image.open(SCENE).resize((64, 40)).save(tmp_path / "new" / "a.jpg")
    run("anonymize", tmp_path / "new", folder / "a.jpg", "-o", folder, code=2)  # another's source
    assert "regions destroyed" in run("anonymize", folder / "a.jpg", "-o", out).stdout


def test_drawn_pictures_are_anonymized(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is saved went through `draw`, which takes nothing but an AnonymizedFrame."""
    seen: list[object] = []

    def spy(frame: parkq.AnonymizedFrame, **_: object) -> Image.Image:
        seen.append(frame)
        return Image.new("RGB", (8, 8))

    monkeypatch.setattr("parkq._cli.draw", spy)
    run("detect", SCENE, "--draw", tmp_path / "a", "--csv")
    run("occupancy", SCENE, "--lot", LOT, "--draw", tmp_path / "b", "--plan", tmp_path / "c")
    assert [type(frame) for frame in seen] == [parkq.AnonymizedFrame] * 2
    assert (tmp_path / "a" / "scene.jpg").exists() and (tmp_path / "b" / "scene.jpg").exists()
    assert (tmp_path / "c" / "scene.svg").read_text().startswith("<svg")


def test_lots_are_converted_checked_and_drawn(folder: Path) -> None:
    other = folder / "ultralytics.json"
    other.write_text(json.dumps([{"points": [[32, 20], [64, 20], [64, 40], [32, 40]]}]))
    arguments = ("lot", "convert", other, "--from", "ultralytics")
    text = run(*arguments, "--size", 320, 200).stdout
    assert parkq.Lot.from_json(text).spaces[0].quad[0] == (0.1, 0.1)
    assert run(*arguments, "--picture", folder / "a.jpg").stdout == text
    run(*arguments, code=2)
    run("lot", "convert", other, "--from", "coco", code=2)
    run("lot", "convert", other, "--from", "pklot", "--size", 1, 1, code=1)
    assert "30 spaces" in run("lot", "check", LOT).stdout
    assert "lot: " in run("lot", "check", LOT, other, code=1).stderr
    wide, tall = (run("lot", "draw", LOT, *more).stdout for more in ((), ("--picture", SCENE)))
    assert "1000 563" in wide and "1000 625" in tall
    marked = folder / "marked.json"
    marked.write_text(Path(LOT).read_text(), encoding="utf-8-sig")  # as Windows' editors write
    assert "30 spaces" in run("lot", "check", marked).stdout


def test_a_picture_that_would_fill_the_memory_is_refused(folder: Path) -> None:
    """Its header says 60000 x 60000 pixels."""
    bomb = bytearray(Path(SCENE).read_bytes())
    frame = bomb.index(b"\xff\xc0") if b"\xff\xc0" in bomb else bomb.index(b"\xff\xc2")
    bomb[frame + 5 : frame + 9] = (60_000).to_bytes(2, "big") * 2
    (folder / "bomb.jpg").write_bytes(bomb)
    for command in (["detect"], ["occupancy", "--lot", LOT], ["anonymize", "-o", folder / "out"]):
        problem = run(*command, folder / "bomb.jpg", code=1).stderr
        assert "3600000000 pixels" in problem and "at most 50000000" in problem
    assert "bomb" in run("lot", "draw", LOT, "--picture", folder / "bomb.jpg", code=1).stderr


def test_a_port_in_use_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        picture = folder / "a.jpg"
        problem = run("lot", "edit", picture, "--no-browser", "--port", port, code=1).stderr
    assert problem == f"port {port}: Address already in use\n"


def test_edit_serves_the_anonymized_picture(
    folder: Path, monkeypatch: pytest.MonkeyPatch, small: np.ndarray
) -> None:
    picture = folder / "small.png"
    Image.fromarray(small).save(picture)
    subjects: list[_editor.Subject] = []

    def server(subject: _editor.Subject, port: int) -> SimpleNamespace:
        subjects.append(subject)
        nothing = lambda: None  # noqa: E731
        return SimpleNamespace(url="http://x", serve_forever=nothing, server_close=nothing)

    monkeypatch.setattr(_editor, "Server", server)
    assert "http://x" in run("lot", "edit", picture, "--no-browser").stdout
    [subject] = subjects
    assert subject.path == folder / "small.lot.json" and len(subject.lot) == 0
    shown = np.asarray(Image.open(io.BytesIO(subject.picture))).astype(int)
    expected = np.asarray(
        Image.open(io.BytesIO(parkq.Anonymizer().anonymize_frame(small).to_jpeg(90)))
    )
    assert np.array_equal(shown, expected)
    quads = subject.propose(parkq.Lot())
    lot = parkq.Lot(parkq.Space(str(i), quad) for i, quad in enumerate(quads))
    assert len(lot) >= 1 and subject.propose(lot) == []


def test_what_is_read_is_not_written_over(folder: Path) -> None:
    picture, lot = folder / "a.jpg", folder / "lot.json"
    lot.write_text(Path(LOT).read_text())
    before = picture.read_bytes(), lot.read_bytes()
    for command in (
        ("occupancy", picture, "--lot", lot, "-o", picture),
        ("occupancy", picture, "--lot", lot, "-o", lot),
        ("detect", folder, "-o", picture),
        ("lot", "draw", lot, "-o", lot),
        ("lot", "convert", lot, "--from", "coco", "--picture", picture, "-o", lot),
    ):
        assert "which is to be read" in run(*command, code=2).output
    assert (picture.read_bytes(), lot.read_bytes()) == before


def test_a_folder_that_cannot_be_read_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = os.walk

    def refuse(top: str, onerror: object) -> object:
        onerror(PermissionError(13, "Permission denied", str(folder / "deep")))  # type: ignore[operator]
        return walk(top)

    monkeypatch.setattr(os, "walk", refuse)
    (folder / "bad.jpg").unlink()
    result = run("occupancy", folder, "--lot", LOT, code=1)
    assert f"{folder / 'deep'}: Permission denied" in result.stderr and "a.jpg" in result.stdout


def test_only_exif_data_turn_a_picture(tmp_path: Path) -> None:
    turned = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    picture = Image.new("RGB", (32, 20))
    picture.save(tmp_path / "xmp.jpg", xmp=turned)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "exif.jpg", exif=exif)
    # Its type is no longer a number but a text.
    text = exif.tobytes().replace(b"\x12\x01\x03\0", b"\x12\x01\x02\0")
    text = text.replace(b"\x01\x12\0\x03", b"\x01\x12\0\x02")
    assert text != exif.tobytes()
    picture.save(tmp_path / "text.jpg", exif=text)
    for name, size in (("xmp", (32, 20)), ("exif", (20, 32)), ("text", (32, 20))):
        path = tmp_path / f"{name}.jpg"
        frame = parkq.Anonymizer().anonymize_frame(path.read_bytes())
        assert _size(path) == (frame.width, frame.height) == size, name


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("target", ["file", "stdout"])
def test_a_full_disk_is_a_message(target: str) -> None:
    command = [sys.executable, "-m", "parkq", "lot", "draw", LOT]
    with Path("/dev/full").open("w") as full:
        out = full if target == "stdout" else subprocess.DEVNULL
        command += ["-o", "/dev/full"] if target == "file" else []
        ended = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "parkq: No space left on device\n")


def test_the_demos_folder_may_be_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("demo", "-o", tmp_path / "file" / "folder", code=1)
    assert "Not a directory" in result.stderr
