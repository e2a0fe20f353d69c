"""Script that exits with 0 if the namespaces that a zygote and its sandboxes need can be made."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).resolve().parents[2]


def bare_package(name: str, folder: Path) -> None:
    """Enter a package whose `__init__` is not run."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def main() -> None:
    """Make a zygote's namespaces and view, and a sandbox's inside of it."""
    from tritongen.verify.sandbox import linux, namespaces

    namespaces.enter_zygote(-1)
    namespaces.build_view(["/usr", "/lib", "/lib64", "/bin"], ["/dev/null"])
    linux.unshare(linux.CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        namespaces.enter_sandbox(0, 0, 1 << 20)
        Path(namespaces.SCRATCH, "file").write_text("x")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    bare_package("tritongen", PACKAGE)
    bare_package("tritongen.verify", PACKAGE / "verify")
    bare_package("tritongen.verify.sandbox", PACKAGE / "verify" / "sandbox")
    main()
