"""The ``fairzarr`` program, as the package installs it."""

import sys

from . import _fairzarr


def main() -> int:
    """Run the program on this process's command line."""
    return _fairzarr.main(["fairzarr", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
