"""What the binding costs, measured loosely enough for a busy machine; it prints what it found."""

import subprocess
import sys
import timeit

import numpy as np
import parkq


def test_a_call_costs_little_whatever_the_size() -> None:
    """An empty lot: nothing but the binding is timed. The bar is 100 us."""
    estimator = parkq.Estimator(parkq.Lot(), threads=1)
    for shape in ((48, 64, 3), (1080, 1920, 3), (2160, 3840, 3)):
        frame = np.zeros(shape, np.uint8)
        times = timeit.repeat(lambda f=frame: estimator.occupancy(f), repeat=20, number=50)
        best = min(times) / 50 * 1e6
        print(f"{shape}: {best:.1f} us")
        assert best < 100


def test_the_import_is_quick() -> None:
    """The bar is 150 ms. NumPy is imported with the first array; the command line's libraries are
    not loaded."""
    code = (
        "import time; t = time.perf_counter(); import parkq; t = time.perf_counter() - t;"
        "import sys; assert not {'PIL', 'click', 'tqdm'} & set(sys.modules); print(t)"
    )
    times = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(7)]
    print(f"import: {min(times) * 1e3:.0f} ms")
    assert min(times) < 0.15
