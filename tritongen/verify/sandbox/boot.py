"""Script that starts a zygote: namespaces first, while there is one thread and little memory.

It runs without the rest of the package, as the workers of the gate do. Where namespaces are used
this process stays behind as the warden of the zygote, which is the first process of its own
process namespace: when the zygote dies, the kernel kills everything that was forked from it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).resolve().parents[2]


def bare_package(name: str, folder: Path) -> None:
    """Enter a package whose `__init__` is not run."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


if __name__ == "__main__":
    bare_package("tritongen", PACKAGE)
    bare_package("tritongen.verify", PACKAGE / "verify")
    bare_package("tritongen.verify.sandbox", PACKAGE / "verify" / "sandbox")
    from tritongen.verify.sandbox.zygote import main

    main(json.loads(sys.argv[1]))
