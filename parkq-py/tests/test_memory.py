"""Nothing is kept: memory does not grow, and what Rust freed is wiped."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import parkq
import pytest
from PIL import Image

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def resident() -> int:
    """Bytes of memory that this process holds."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if "VmRSS" in line))


@linux
def test_memory_does_not_grow_over_1000_frames(bright: parkq.Detector) -> None:
    """The bundled detector, which is slower, gets every twentieth frame."""
    quads = [[(x, 0.2), (x + 0.15, 0.2), (x + 0.15, 0.8), (x, 0.8)] for x in (0.1, 0.4, 0.7)]
    lot = parkq.Lot(parkq.Space(str(i), quad) for i, quad in enumerate(quads))
    estimator = parkq.Estimator(lot, threads=1)
    quick, bundled = (
        parkq.Pipeline(estimator, anonymizer, keep_picture=True)
        for anonymizer in (
            parkq.Anonymizer(bright, plates=False, persons=False),
            parkq.Anonymizer(parkq.Detector(tiling="whole"), fallback="off"),
        )
    )
    frames = np.random.default_rng(0).integers(0, 255, (4, 48, 64, 3), np.uint8)

    def run(n: int) -> None:
        for i in range(n):
            frame, pipeline = frames[i % 4], quick if i % 20 else bundled
            outcome = pipeline.process(frame if i % 2 else frame[::-1])
            assert outcome.picture is not None
            np.asarray(outcome.picture)
            outcome.occupancy.to_dict()
            with pytest.raises(parkq.FrameError):
                pipeline.process(frame, format="nv12")

    run(100)
    before = resident()
    run(1000)
    assert resident() - before < 4 << 20


CHILD = """
import sys, parkq
estimator = parkq.Estimator(parkq.Lot(), threads=1)
anonymizer = parkq.Anonymizer()
picture = open(sys.argv[1], "rb").read()
estimator.occupancy(picture)
parkq.Pipeline(estimator, anonymizer).process(picture)
print("done", flush=True)
sys.stdin.read()
"""


@linux
def test_freed_memory_holds_no_picture(tmp_path: Path) -> None:
    """Scans the memory of a process that decoded a PNG. Without the wiping allocator the
    decoder's buffers are found there."""
    noise = np.random.default_rng(5).integers(0, 255, (64, 64, 3), np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(noise).save(path)
    needle = noise[32, 10:40].tobytes()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin and child.stdout
    try:
        assert child.stdout.readline() == b"done\n"
        assert not found_in(child.pid, needle)
    finally:
        child.communicate()
    kept = subprocess.Popen(
        [sys.executable, "-c", KEEPS, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert kept.stdin and kept.stdout
    try:
        assert kept.stdout.readline() == b"done\n"
        assert found_in(kept.pid, needle), "the scan finds what is there"
    finally:
        kept.communicate()


KEEPS = """
import sys
from PIL import Image
pixels = Image.open(sys.argv[1]).tobytes()
print("done", flush=True)
sys.stdin.read()
"""


def found_in(pid: int, needle: bytes) -> bool:
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                if needle in memory.read(end - start):
                    return True
            except OSError:
                continue
    return False


def test_a_large_picture_is_read() -> None:
    large = np.zeros((6000, 8000, 3), np.uint8)
    lot = parkq.Lot([parkq.Space("A", [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)])])
    assert len(parkq.Estimator(lot).occupancy(large)) == 1
    jpeg = io.BytesIO()
    Image.fromarray(np.zeros((7100, 7100), np.uint8)).save(jpeg, "jpeg")
    with pytest.raises(parkq.DecodeError, match="at most 50000000 pixels"):
        parkq.Estimator(lot).occupancy(jpeg.getvalue())
