"""The examples run, and the notebook holds no output: no photograph can hide in it."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import REPOSITORY
from nbclient import NotebookClient

EXAMPLES = REPOSITORY / "examples" / "python"


def run(name: str, *arguments: object) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_folder_becomes_a_table_and_a_plot(tmp_path: Path) -> None:
    out = run("occupancy_over_time.py", "-o", tmp_path)
    assert "occupied" in out
    rows = (tmp_path / "occupancy.csv").read_text().splitlines()
    assert len(rows) == 1 + 6 * 30
    assert (tmp_path / "occupancy.png").read_bytes().startswith(b"\x89PNG")


def test_a_cameras_frames_are_anonymized_where_they_lie() -> None:
    lines = run("camera.py", "--frames", 3).splitlines()
    assert len(lines) == 3 and all("regions destroyed" in line for line in lines)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(EXAMPLES / "car_park.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    os.environ["IPYTHONDIR"] = str(tmp_path)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert "image/svg+xml" in code[0].outputs[0].data
    assert "text/html" in code[1].outputs[0].data
    assert "image/jpeg" in code[-1].outputs[0].data
