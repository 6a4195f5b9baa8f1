"""Every public item has an example, and all examples run."""

import doctest
from pathlib import Path

import parkq
import pytest

FLAGS = doctest.ELLIPSIS


def public() -> list[str]:
    def is_error(thing: object) -> bool:
        return isinstance(thing, type) and issubclass(thing, Exception)

    names = [name for name in parkq.__all__ if not name.startswith("__")]
    return [name for name in names if not is_error(getattr(parkq, name))]


@pytest.mark.parametrize("name", public())
def test_examples_run(name: str) -> None:
    finder = doctest.DocTestFinder(recurse=False)
    [test] = finder.find(getattr(parkq, name), name, globs={"parkq": parkq})
    assert test.examples, "it has no example"
    assert doctest.DocTestRunner(optionflags=FLAGS).run(test).failed == 0


def test_the_manual_runs() -> None:
    [test] = doctest.DocTestFinder(recurse=False).find(parkq, globs={})
    assert test.examples and doctest.DocTestRunner(optionflags=FLAGS).run(test).failed == 0
    readme = Path(__file__).parents[1] / "README.md"
    result = doctest.testfile(str(readme), module_relative=False, optionflags=FLAGS)
    assert result.attempted > 5 and result.failed == 0
