"""Script that starts a worker without the rest of the package.

A GPU machine may lack the libraries that `tritongen` itself imports, and a worker needs none of
it: the package is entered as a bare name here, so that only `tritongen.verify` modules load.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).resolve().parents[1]


def bare_package(name: str, folder: Path) -> None:
    """Enter a package whose `__init__` is not run."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


if __name__ == "__main__":
    bare_package("tritongen", PACKAGE)
    bare_package("tritongen.verify", PACKAGE / "verify")
    from tritongen.verify.worker import main

    main()
