"""Dtypes by their torch names, without importing torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tritongen.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Dtype:
    """One dtype: `eps` is the distance from 1 to the next value (0 for integers)."""

    name: str
    kind: str
    triton: str
    bits: int
    eps: float = 0.0


DTYPES = {
    d.name: d
    for d in (
        Dtype("float32", "float", "tl.float32", 32, 2.0**-23),
        Dtype("float16", "float", "tl.float16", 16, 2.0**-10),
        Dtype("bfloat16", "float", "tl.bfloat16", 16, 2.0**-7),
        Dtype("int32", "int", "tl.int32", 32),
        Dtype("int64", "int", "tl.int64", 64),
        Dtype("bool", "bool", "tl.int1", 8),
    )
}


@dataclass(frozen=True, slots=True)
class DtypeSet:
    """The dtypes that one program text serves; its test is parametrised over them."""

    names: tuple[str, ...]
    kind: str

    def __str__(self) -> str:
        return "|".join(self.names)


@lru_cache(maxsize=256)
def dtype_set(names: tuple[str, ...], place: str = "dtype") -> DtypeSet:
    """Return the set of `names`, which must be of one kind.

    Raises UnknownNameError for an unknown dtype and for a mixture of kinds.
    """
    for name in names:
        if name not in DTYPES:
            raise UnknownNameError(place, "unknown dtype", value=name, known=DTYPES)
    kinds = {DTYPES[name].kind for name in names}
    if len(kinds) != 1:
        raise UnknownNameError(place, "one text cannot serve dtypes of several kinds", value=names)
    return DtypeSet(names, kinds.pop())
