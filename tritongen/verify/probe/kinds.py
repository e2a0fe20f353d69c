"""What each operation of aten is to the rules of honesty: a table of names.

`empty` and `constant` allocate, `fill` and `into` write, `copy` copies or casts, `view` shares
memory, `free` touches no element, `read` hands one to the host, `random` draws, `reduce` and
`scale` may be allowed on partial results of kernels. What is not listed computes.
"""

from __future__ import annotations

import functools
from typing import Any

_EMPTY = "empty empty_like empty_strided empty_permuted new_empty new_empty_strided"
_CONSTANT = (
    "zeros zeros_like ones ones_like full full_like new_zeros new_ones new_full scalar_tensor "
    "arange eye linspace tril_indices triu_indices lift lift_fresh_copy"
)
_FILL = "fill_ zero_"
_COPY = (
    "clone _to_copy cat concat concatenate stack constant_pad_nd repeat tile hstack vstack dstack "
    "_pin_memory contiguous to type_as reshape reshape_as flatten lift_fresh alias_copy "
    "detach_copy expand_copy permute_copy select_copy slice_copy squeeze_copy t_copy "
    "transpose_copy unsqueeze_copy view_copy unbind_copy split_copy split_with_sizes_copy "
    "as_strided_copy diagonal_copy _reshape_copy unfold_copy"
)
_COPY_INTO = "copy_ _copy_from _copy_from_and_resize"
_VIEW = "_unsafe_view _reshape_alias detach_ t_ transpose_ squeeze_ unsqueeze_ as_strided_ alias"
_FREE = (
    "is_pinned record_stream sym_size sym_stride sym_numel sym_storage_offset size stride numel "
    "dim is_same_size storage_offset is_contiguous requires_grad_ _has_compatible_shallow_copy_type"
)
_READ = "_local_scalar_dense item is_nonzero"
_RANDOM = "rand randn randint randperm rand_like randn_like randint_like random_ uniform_"
_REDUCE = "sum mean amax amin max min prod any all nansum logsumexp"
_SCALE = "div mul add sub neg sqrt rsqrt reciprocal div_ mul_ add_ sub_ sqrt_ rsqrt_ neg_"
MOVES = ("resize_", "set_", "set_data")

KINDS: dict[str, str] = {
    f"aten::{name}": kind
    for kind, names in (
        *(("empty", _EMPTY), ("constant", _CONSTANT), ("fill", _FILL), ("copy", _COPY)),
        *(("into", _COPY_INTO), ("view", _VIEW), ("free", _FREE), ("read", _READ)),
        *(("random", _RANDOM), ("reduce", _REDUCE), ("scale", _SCALE)),
    )
    for name in names.split()
}


@functools.lru_cache(4096)
def kind_of(func: Any) -> str:
    """What an operation is, by its schema: one of the kinds above, `view`, or `` for none."""
    schema = func._schema
    found = KINDS.get(schema.name, "")
    if found and any(a.is_out for a in schema.arguments):
        return "view" if func.is_view else ""
    if not found and func.is_view:
        return "view"
    return found
