"""The command line: `parkq`, or `python -m parkq`."""

from parkq._cli import run

if __name__ == "__main__":
    run()
