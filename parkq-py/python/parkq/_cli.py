"""The command line.

Exit codes: 0 all went well, 1 something could not be read, done or written (the rest was),
2 the command was not understood.
"""

from __future__ import annotations

import csv
import glob
import io
import json
import os
import sys
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
from PIL import Image
from tqdm import tqdm

import parkq
from parkq import _editor
from parkq._draw import draw

_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_T = TypeVar("_T")
_PATH = click.Path(path_type=Path)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PROBLEMS = (parkq.Error, OSError, UnicodeError, Image.DecompressionBombError)


def _words(error: Exception) -> str:
    """Say what went wrong without the file's name, which stands before it."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


class _Work:
    """Does the same with many files; says on stderr which ones failed."""

    def __init__(self) -> None:
        self.failed = 0

    def expand(self, arguments: tuple[str, ...]) -> list[Path]:
        """Return the files that are named by files, folders and globs, in order, each once."""
        paths: list[Path] = []
        for argument in arguments:
            if os.path.isdir(argument):  # noqa: PTH112 (a Path fails if the name is too long)
                found = sorted(self._search(argument))
            elif os.path.exists(argument) or (argument and not glob.has_magic(argument)):  # noqa: PTH110
                found = [Path(argument)]
            else:
                found = sorted(Path(p) for p in glob.glob(argument, recursive=True))  # noqa: PTH207
            if not found and not self.failed:
                raise click.UsageError(f"no picture: {argument}")
            paths += found
        return list(dict.fromkeys(paths))

    def _search(self, folder: str) -> Iterator[Path]:
        for root, _, names in os.walk(
            folder, onerror=lambda error: self._fail(error.filename, error)
        ):
            paths = (Path(root, name) for name in names)
            yield from (path for path in paths if path.suffix.lower() in _PICTURES)

    def _fail(self, what: object, error: Exception) -> None:
        self.failed += 1
        tqdm.write(f"{what}: {_words(error)}", file=sys.stderr)

    def each(self, paths: list[Path], do: Callable[[Path], _T]) -> Iterator[tuple[Path, _T]]:
        bar = tqdm(paths, unit="picture", disable=None if len(paths) > 1 else True)
        for path in bar:
            try:
                result = do(path)
            except _PROBLEMS as error:
                self._fail(path, error)
            else:
                yield path, result

    def exit(self) -> None:
        if self.failed:
            sys.exit(1)


def _attempt(what: object, do: Callable[[], _T]) -> _T:
    """Do what needs one file or port; end with its error if that fails."""
    try:
        return do()
    except _PROBLEMS as error:
        click.echo(f"{what}: {_words(error)}", err=True)
        sys.exit(1)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def _read_lot(path: Path) -> parkq.Lot:
    return _attempt(path, lambda: parkq.Lot.from_json(_text(path)))


def _file(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from all others, by whatever name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _targets(paths: list[Path], folder: Path, suffix: str) -> dict[Path, Path]:
    """Return a path in the folder for each picture, none of them twice, and no picture's own."""
    _attempt(folder, lambda: folder.mkdir(parents=True, exist_ok=True))
    sources = {_file(path) for path in paths} - {None}
    targets: dict[Path, Path] = {}
    taken: set[str] = set()  # some file systems tell no capitals from others
    times: Counter[str] = Counter()
    for path in paths:
        name = path.stem
        while name.casefold() in taken:
            times[path.stem] += 1
            name = f"{path.stem}-{times[path.stem] + 1}"
        taken.add(name.casefold())
        targets[path] = folder / f"{name}{suffix}"
        if _file(targets[path]) in sources:
            raise click.UsageError(f"{targets[path]} would replace a picture that is to be read")
    return targets


def _spare(output: TextIO, *read: Path | None) -> None:
    """Refuse to write over what is to be read; nothing has been opened yet."""
    target = _file(Path(output.name))
    if target and target in {_file(path) for path in read if path}:
        raise click.UsageError(f"{output.name} would be replaced, which is to be read")


def _table(
    out: TextIO, rows: Iterator[tuple[Path, list[dict[str, Any]]]], fields: list[str]
) -> None:
    writer = csv.DictWriter(out, ["picture", *fields], lineterminator="\n")
    writer.writeheader()
    for path, records in rows:
        writer.writerows({"picture": str(path), **record} for record in records)


def _line(out: TextIO, path: Path, value: dict[str, Any]) -> None:
    print(json.dumps({"picture": str(path), **value}), file=out, flush=True)


def _summary(occupancy: parkq.Occupancy) -> str:
    least, most = occupancy.occupied_interval
    return (
        f"{occupancy.free} free, {occupancy.occupied} occupied (95 % interval {least} to {most}), "
        f"{occupancy.count('unknown')} unknown, {occupancy.count('closed')} closed"
    )


def _save(image: Image.Image, path: Path) -> None:
    image.save(path, quality=90)


_pictures = click.argument("pictures", nargs=-1, required=True)
_output = click.option(
    "-o",
    "--output",
    type=click.File("w", encoding="utf-8", errors="backslashreplace"),
    default="-",
    help="Default: stdout.",
)
_as_json = click.option("--json", "style", flag_value="json", help="A line of JSON a picture.")
_as_csv = click.option("--csv", "style", flag_value="csv", help="A table, with a header.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(parkq.__version__, prog_name="parkq")
def main() -> None:
    """Which parking spaces are taken, and pictures without people and plates.

    PICTURES are JPEG, PNG or WebP files, folders that are searched for them, or globs.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold what the terminal cannot show.
        sys.stdout.reconfigure(errors="backslashreplace")


@main.command()
@_pictures
@click.option("--lot", "lot_file", type=_FILE, required=True, help="The lot file.")
@click.option("--draw", "folder", type=_PATH, help="Put anonymized pictures with the states here.")
@click.option("--plan", "plans", type=_PATH, help="Put SVG plans with the states here.")
@_as_json
@_as_csv
@_output
def occupancy(
    pictures: tuple[str, ...],
    lot_file: Path,
    folder: Path | None,
    plans: Path | None,
    style: str | None,
    output: TextIO,
) -> None:
    """Say which spaces of a lot are taken."""
    lot, work = _read_lot(lot_file), _Work()
    paths = work.expand(pictures)
    _spare(output, lot_file, *paths)
    pipeline = parkq.Pipeline(lot, keep_picture=folder is not None)
    drawn = _targets(paths, folder, ".jpg") if folder else {}
    planned = _targets(paths, plans, ".svg") if plans else {}

    def read(path: Path) -> parkq.Occupancy:
        outcome = pipeline.process(path.read_bytes())
        if outcome.picture is not None:
            _save(draw(outcome.picture, occupancy=outcome.occupancy), drawn[path])
        if plans:
            planned[path].write_text(outcome.occupancy.to_svg(), encoding="utf-8")
        return outcome.occupancy

    results = work.each(paths, read)
    if style == "csv":
        fields = ["id", "state", "probability", "pixels_per_metre", "unknown"]
        rows = ((path, [dict(r) for r in found.records()]) for path, found in results)
        _table(output, rows, fields)
    else:
        for path, found in results:
            if style == "json":
                _line(output, path, found.to_dict())
            else:
                print(f"{path}: {_summary(found)}", file=output, flush=True)
    work.exit()


@main.command()
@_pictures
@click.option("-o", "--output", "folder", type=_PATH, required=True, help="The folder to fill.")
@click.option("--lot", "lot_file", type=_FILE, help="The camera's lot: its masks are burnt in.")
@click.option("--png", is_flag=True, help="Write PNG instead of JPEG.")
@click.option("--quality", type=click.IntRange(1, 100), default=90, help="Of JPEGs. Default: 90.")
@click.option("--json", "as_json", is_flag=True, help="Print what was destroyed.")
def anonymize(
    pictures: tuple[str, ...],
    folder: Path,
    lot_file: Path | None,
    png: bool,
    quality: int,
    as_json: bool,
) -> None:
    """Write pictures in which nobody and no plate can be recognised."""
    lot = _read_lot(lot_file) if lot_file else None
    work = _Work()
    paths = work.expand(pictures)
    anonymizer = parkq.Anonymizer(lot=lot)
    targets = _targets(paths, folder, ".png" if png else ".jpg")

    def run(path: Path) -> parkq.AnonymizedFrame:
        frame = anonymizer.anonymize_frame(path.read_bytes())
        targets[path].write_bytes(frame.to_png() if png else frame.to_jpeg(quality))
        return frame

    for path, frame in work.each(paths, run):
        if as_json:
            regions = [
                region.to_dict() | {"parts": [part.to_dict() for part in region.parts]}
                for region in frame.redactions
            ]
            _line(sys.stdout, path, {"anonymized": str(targets[path]), "redactions": regions})
        else:
            click.echo(f"{targets[path]}: {len(frame.redactions)} regions destroyed")
    work.exit()


@main.command()
@_pictures
@click.option("--lot", "lot_file", type=_FILE, help="The camera's lot: it gives the scale.")
@click.option("--draw", "folder", type=_PATH, help="Put anonymized pictures with the boxes here.")
@_as_json
@_as_csv
@_output
def detect(
    pictures: tuple[str, ...],
    lot_file: Path | None,
    folder: Path | None,
    style: str | None,
    output: TextIO,
) -> None:
    """Find vehicles, persons, plates and faces."""
    lot = _read_lot(lot_file) if lot_file else None
    work = _Work()
    paths = work.expand(pictures)
    _spare(output, lot_file, *paths)
    detector = parkq.Detector()
    anonymizer = parkq.Anonymizer(lot=lot)
    targets = _targets(paths, folder, ".jpg") if folder else {}

    def run(path: Path) -> list[parkq.Detection]:
        picture = path.read_bytes()
        found = detector.detect(picture, lot=lot)
        if folder:
            _save(draw(anonymizer.anonymize_frame(picture), detections=found), targets[path])
        return found

    results = work.each(paths, run)
    if style == "csv":
        rows = ((path, [dict(d.to_dict()) for d in found]) for path, found in results)
        _table(output, rows, ["label", "score", "x", "y", "width", "height"])
    else:
        model = detector.model
        for path, found in results:
            if style == "json":
                about = {"version": 1, "model": {"name": model.name, "sha256": model.sha256}}
                _line(output, path, about | {"detections": [d.to_dict() for d in found]})
            else:
                labels = [d.label for d in found]
                counts = [f"{labels.count(name)} {name}" for name in sorted(set(labels))]
                print(f"{path}: {', '.join(counts) or 'nothing'}", file=output, flush=True)
    work.exit()


@main.command()
@click.option("-o", "--output", "folder", type=_PATH, help="Put the plan and the picture here.")
def demo(folder: Path | None) -> None:
    """Read the bundled scene: a rendered car park."""
    lot = parkq.Lot.from_json(parkq.demo_lot())
    outcome = parkq.Pipeline(lot, keep_picture=True).process(parkq.demo_picture())
    for reading in outcome.occupancy.readings:
        probability = "" if reading.probability is None else f"{reading.probability:.3f}"
        click.echo(f"{reading.id:6} {reading.state:9} {probability:5} {reading.unknown or ''}")
    click.echo(_summary(outcome.occupancy))
    click.echo(f"{len(outcome.redactions)} regions destroyed")
    if folder:
        plan, scene = _attempt(folder, lambda: _keep(outcome, folder))
        click.echo(f"wrote {plan} and {scene}")


def _keep(outcome: parkq.Outcome, folder: Path) -> tuple[Path, Path]:
    plan, scene = folder / "plan.svg", folder / "scene.jpg"
    folder.mkdir(parents=True, exist_ok=True)
    plan.write_text(outcome.occupancy.to_svg(), encoding="utf-8")
    if outcome.picture:
        _save(draw(outcome.picture, occupancy=outcome.occupancy), scene)
    return plan, scene


@main.group()
def lot() -> None:
    """Make, check and draw lot files."""


def _size(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as image:
        # Pillow would look at the XMP data, too, which turn no picture here.
        for name in ("xmp", "XML:com.adobe.xmp", "Raw profile type xmp"):
            image.info.pop(name, None)
        turned = image.getexif().get(0x0112) in (5, 6, 7, 8)
        width, height = image.size
    return (height, width) if turned else (width, height)


def _importers(picture: Path, size: tuple[int, int]) -> dict[str, Callable[[str], parkq.Lot]]:
    """Return what reads each format, for a picture of this name and size."""
    return {
        "parkq": parkq.Lot.from_json,
        "pklot": lambda text: parkq.Imported.pklot(text, *size).lot,
        "ultralytics": lambda text: parkq.Imported.ultralytics(text, *size).lot,
        "acpds": lambda text: parkq.Imported.acpds(text, picture.name).lot,
        "coco": lambda text: parkq.Imported.coco(text, picture.name).lot,
    }


@lot.command()
@click.argument("file", type=_FILE)
@click.option(
    "--from",
    "kind",
    type=click.Choice(["pklot", "ultralytics", "acpds", "coco"]),
    required=True,
    help="What wrote the file.",
)
@click.option("--picture", type=_PATH, help="The picture: its name, and its size if it exists.")
@click.option("--size", nargs=2, type=click.IntRange(1), help="The picture's width and height.")
@_output
def convert(
    file: Path, kind: str, picture: Path | None, size: tuple[int, int] | None, output: TextIO
) -> None:
    """Make a lot file from another program's."""
    if kind in ("pklot", "ultralytics") and size is None:
        if picture is None:
            raise click.UsageError(f"{kind} is in pixels: --picture or --size is needed")
        size = _attempt(picture, lambda: _size(picture))
    if kind in ("acpds", "coco") and picture is None:
        raise click.UsageError(f"{kind} is for many pictures: --picture is needed")
    _spare(output, file, picture)
    importer = _importers(picture or Path(), size or (1, 1))[kind]
    converted = _attempt(file, lambda: importer(_text(file)))
    print(converted.to_json(), file=output)


@lot.command()
@click.argument("files", nargs=-1, required=True, type=_FILE)
def check(files: tuple[Path, ...]) -> None:
    """Say whether lot files are good."""
    work = _Work()
    for path, good in work.each(list(files), lambda path: parkq.Lot.from_json(_text(path))):
        click.echo(f"{path}: {len(good)} spaces, {len(good.masks)} masks")
    work.exit()


@lot.command(name="draw")
@click.argument("file", type=_FILE)
@click.option("--picture", type=_FILE, help="Draw in its shape. Default: 16 to 9.")
@_output
def draw_lot(file: Path, picture: Path | None, output: TextIO) -> None:
    """Draw a lot file as an SVG plan."""
    _spare(output, file, picture)
    width, height = _attempt(picture, lambda: _size(picture)) if picture else (16, 9)
    print(_read_lot(file).to_svg(width / height), end="", file=output)


@lot.command()
@click.argument("picture", type=_FILE)
@click.option("--lot", "file", type=_PATH, help="The lot file. Default: PICTURE's name, .lot.json.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free one.")
@click.option("--browser/--no-browser", default=True, help="Whether to open one.")
def edit(picture: Path, file: Path | None, port: int, browser: bool) -> None:
    """Draw a lot in the browser, over the anonymized picture.

    The page is served on 127.0.0.1, to the one browser that opens the printed address first.
    """
    file = file or picture.with_name(f"{picture.stem}.lot.json")
    lot = _read_lot(file) if file.exists() else parkq.Lot()
    subject = _attempt(picture, lambda: _subject(picture, file, lot))
    server = _attempt(f"port {port}", lambda: _editor.Server(subject, port))
    click.echo(f"Draw the lot at {server.url}")
    click.echo("Stop with Ctrl+C.")
    if browser:
        webbrowser.open(server.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def _subject(picture: Path, file: Path, lot: parkq.Lot) -> _editor.Subject:
    encoded = picture.read_bytes()
    frame = parkq.Anonymizer(lot=lot).anonymize_frame(encoded)
    size = (frame.width, frame.height)
    vehicles = [d for d in parkq.Detector().detect(encoded) if d.label == "vehicle"]
    return _editor.Subject(
        picture=frame.to_jpeg(90),
        size=size,
        lot=lot,
        path=file,
        importers=_importers(picture, size),
        propose=lambda known: _editor.propose(vehicles, known, size),
    )


def run() -> None:
    """Do what the command line says; a full disk is a message, too."""
    try:
        try:
            main(prog_name="parkq")
        finally:
            sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f"parkq: {_words(error)}\n")
        # What could not be written is not to be tried again.
        os._exit(1)
