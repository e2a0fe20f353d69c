"""A pair: a PyTorch reference, a Triton kernel and a test, with what is known about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from tritongen.errors import InputFileError

BLOCKS = ("PYTHON", "TRITON", "TEST")
_IMPORTS = {
    "torch": "import torch",
    "triton": "import triton",
    "tl": "import triton.language as tl",
    "math": "import math",
    "F": "import torch.nn.functional as F",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One variant: three rendered sources and their metadata.

    `python_code + triton_code + test_code` joined in one file (`joined`) is a runnable pytest module.
    """

    id: str
    program_id: str
    operation_id: str
    family: str
    strategy: str
    description: str
    python_code: str
    triton_code: str
    test_code: str
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def joined(self) -> str:
        """The three sources as one module."""
        return f"{self.python_code}\n\n{self.triton_code}\n\n{self.test_code}"

    def to_record(self) -> dict[str, Any]:
        """A plain dictionary; `from_record` gives the same pair back."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Pair:
        """Read a record written by `to_record` or by a dataset; further keys are ignored.

        Raises InputFileError naming the keys that are missing.
        """
        names = [f.name for f in fields(cls)]
        metadata = record.get("metadata") or {}
        values = {n: record[n] for n in names if n in record}
        for name in ("family", "strategy"):
            values.setdefault(name, metadata.get(name, ""))
        values["metadata"] = dict(metadata)
        missing = [name for name in names if name not in values]
        if missing:
            raise InputFileError("record", "keys are missing", value=missing, known=names)
        return cls(**values)

    def to_blocks(self) -> str:
        """The single-file form with `# <PYTHON>`, `# <TRITON>` and `# <TEST>` blocks."""
        sources = (self.python_code, self.triton_code, self.test_code)
        blocks = [
            f"# <{name}>\n{source.strip()}\n# </{name}>\n"
            for name, source in zip(BLOCKS, sources, strict=True)
        ]
        return "\n".join(blocks)

    @classmethod
    def from_blocks(cls, text: str, *, place: str = "blocks") -> Pair:
        """Read the single-file form, with line ends of any system.

        Imports of torch, triton, tl, math and F are supplied where missing.

        Raises InputFileError naming every block that is missing and a TEST block without get_test_inputs.
        """
        text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        sources = {}
        for name in BLOCKS:
            match = re.search(
                rf"^# <{name}>[ \t]*\n(.*?)^# </{name}>", text, re.DOTALL | re.MULTILINE
            )
            if match is not None:
                sources[name] = match.group(1).strip() + "\n"
        missing = [name for name in BLOCKS if name not in sources]
        if missing:
            raise InputFileError(
                place,
                "blocks are missing",
                value=missing,
                known=BLOCKS,
                hint="write each block as `# <NAME>` ... `# </NAME>` on lines of their own",
            )
        if not re.search(r"^def get_test_inputs\(", sources["TEST"], re.MULTILINE):
            raise InputFileError(
                place, "the TEST block does not define get_test_inputs()", hint="define it"
            )
        python, triton, test = [with_imports(sources[name]) for name in BLOCKS]
        return cls("", "", "", "foreign", "foreign", "", python, triton, test, {})


def with_imports(source: str) -> str:
    """`source` with the common imports that it uses but does not make."""
    needed = [
        line
        for name, line in _IMPORTS.items()
        if re.search(rf"(?<![\w.]){name}\b", source) and not _imports(source, name)
    ]
    return "".join([line + "\n" for line in needed]) + ("\n" if needed else "") + source


def _imports(source: str, name: str) -> bool:
    plain = rf"^\s*(?:import|from\s+[\w.]+\s+import)\s[^#\n]*(?<![\w.]){name}\b(?!\s*\.)"
    return re.search(plain, source, re.MULTILINE) is not None
