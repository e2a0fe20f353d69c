"""Run in a process of its own: what dry runs of one kernel say, as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from own_sources import VECTOR  # noqa: E402
from verify_sources import AUTOTUNED  # noqa: E402

from tritongen.verify import redirect  # noqa: E402
from tritongen.verify.loader import join, loaded  # noqa: E402


def main() -> None:
    """Print the classes of a few sizes, and how many different specialisations they are."""
    import torch

    redirect.install()
    from tritongen.verify.own.dry import dry_run

    found = {}
    folder = Path(tempfile.mkdtemp())
    with redirect.redirected():
        with loaded(join(VECTOR.python_code, VECTOR.triton_code, ""), folder) as module:
            runs = {
                n: dry_run(module.wrapper, (torch.zeros(n, device="cuda"),))
                for n in (1, 257, 509, 512, 1024)
            }
            found["classes"] = {n: [run.ones, run.sixteens] for n, run in runs.items()}
            found["keys"] = len({frozenset(run.specialisations) for run in runs.values()})
            found["constants"] = runs[257].constants
        with loaded(join(AUTOTUNED.python_code, AUTOTUNED.triton_code, ""), folder) as module:
            arguments = (torch.zeros(300, device="cuda"),)
            tuned = [dry_run(module.triton_double, arguments, index) for index in (0, 1)]
            found["configurations"] = tuned[0].configurations
            found["tuned"] = [list(run.constants.values()) for run in tuned]
        found["paid"] = paid(folder)
    print(json.dumps(found))


def paid(folder: Path) -> dict[str, object]:
    """What the policy runs of a test with general sizes, one divisible by 16, and one of 1."""
    from tritongen.verify.cases import collect
    from tritongen.verify.own.entry import find_entry
    from tritongen.verify.own.paid import Paid
    from tritongen.verify.own.session import Session

    test = VECTOR.test_code.replace("[(256,), (512,)]", "[(1,), (300,), (512,), (301,)]")
    source = join(VECTOR.python_code, VECTOR.triton_code, test)
    with loaded(source, folder) as module:
        entry: Any = find_entry(module, {}, VECTOR.triton_code)
        unused: Any = None
        chooser = Paid(Session(entry, unused, unused), module, None, 0x0100)
        cases = chooser.cases(collect(module), lambda case: case.run(), False)
        return {"cases": [case.name for case in cases], **chooser.coverage()}


if __name__ == "__main__":
    main()
