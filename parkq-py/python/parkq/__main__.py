"""The command line: `parkq`, or `python -m parkq`."""

from parkq._cli import main

if __name__ == "__main__":
    main(prog_name="parkq")
