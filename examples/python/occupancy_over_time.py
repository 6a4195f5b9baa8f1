"""Reads a folder of a camera's pictures into a DataFrame and plots the occupancy over time.

    python examples/python/occupancy_over_time.py FOLDER LOT.json [-o OUT]

A picture's time is in its name (2026-11-24T08-00-00.jpg), or else it is the file's own. Without
arguments it makes a day of its own: the bundled scene, seen at six hours in six lights.
Needs `pip install parkq[examples]`.
"""

import argparse
import io
import tempfile
from datetime import datetime
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import parkq
from PIL import Image, ImageEnhance


def time_of(path: Path) -> datetime:
    """Return when a picture was taken."""
    try:
        return datetime.strptime(path.stem, "%Y-%m-%dT%H-%M-%S")
    except ValueError:
        return datetime.fromtimestamp(path.stat().st_mtime)


def read(folder: Path, lot: parkq.Lot) -> pd.DataFrame:
    """Return a row for each space in each picture."""
    pipeline = parkq.Pipeline(lot)
    tables = []
    for path in sorted(folder.glob("*.jpg")):
        occupancy = pipeline.process(path.read_bytes()).occupancy
        tables.append(pd.DataFrame(occupancy.records()).assign(time=time_of(path)))
    return pd.concat(tables, ignore_index=True)


def plot(table: pd.DataFrame, path: Path) -> None:
    """Draw how many spaces are in each state over time."""
    states = ["occupied", "unknown", "free", "closed"]
    counts = table.groupby(["time", "state"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=states, fill_value=0)
    colours = ["#c8463c", "#e0a526", "#2e9e5b", "#8a8f99"]
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    axes.stackplot(counts.index, counts.T.to_numpy(), labels=states, colors=colours, step="mid")
    axes.set(ylabel="spaces", ylim=(0, None))
    axes.legend(loc="upper left", ncols=4)
    figure.autofmt_xdate()
    figure.savefig(path)
    plt.close(figure)


def make_a_day(folder: Path) -> None:
    """Write the bundled scene as six pictures of one day."""
    scene = Image.open(io.BytesIO(parkq.demo_picture()))
    for hour in range(8, 20, 2):
        light = 0.55 + 0.45 * (1 - abs(hour - 14) / 6)
        picture = ImageEnhance.Brightness(scene).enhance(light)
        picture.save(folder / f"2026-11-24T{hour:02}-00-00.jpg", quality=90)


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("lot", type=Path, nargs="?")
    parser.add_argument("-o", "--output", type=Path, default=Path("target/python"))
    arguments = parser.parse_args()
    if arguments.folder and not arguments.lot:
        parser.error("a lot file is needed too")
    with tempfile.TemporaryDirectory() as made:
        if arguments.folder:
            folder, text = arguments.folder, arguments.lot.read_text()
        else:
            folder, text = Path(made), parkq.demo_lot()
            make_a_day(folder)
        table = read(folder, parkq.Lot.from_json(text))
    arguments.output.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.output / "occupancy.csv", index=False)
    plot(table, arguments.output / "occupancy.png")
    print(table.groupby("time")["state"].value_counts().unstack(fill_value=0))
    print(f"wrote occupancy.csv and occupancy.png to {arguments.output}")


if __name__ == "__main__":
    main()
