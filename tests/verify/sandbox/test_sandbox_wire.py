"""Messages: what goes in comes out, and nothing that is not a message does."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch

from tritongen.verify.sandbox import WireError, wire

LIMIT = 1 << 24


def carried(message: Any, limit: int = LIMIT) -> Any:
    frame = b"".join(bytes(part) for part in wire.pack({"ok": True}, message, b"n" * 16))
    return parsed(frame, limit)


def parsed(frame: bytes, limit: int = LIMIT) -> Any:
    size = wire.HEADER.size
    length, total, _ = wire.parse_header(frame[:size], LIMIT, LIMIT)
    decoder = wire.parse_text(frame[size : size + length], total)
    rest = memoryview(frame)[size + length :]
    for view in decoder.buffers():
        view[:] = rest[: len(view)]
        rest = rest[len(view) :]
    return decoder.value(limit)


def framed(text: Any, blob: bytes = b"") -> bytes:
    data = text if isinstance(text, bytes) else json.dumps(text).encode()
    return wire.HEADER.pack(wire.MAGIC, len(data), len(blob), bytes(16)) + data + blob


def tensor_frame(entry: list[Any], blob: bytes = bytes(64), **changes: Any) -> bytes:
    text = {"ok": True, "body": {"x": entry}, "sizes": [len(blob)], "kinds": ["x"], **changes}
    return framed(text, blob)


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    as_bytes = [item.contiguous().view(torch.uint8) for item in (left, right)]
    return torch.equal(*as_bytes)


@pytest.mark.parametrize("name", sorted(wire.dtypes()))
def test_a_tensor_of_every_dtype_arrives_bit_for_bit(name: str) -> None:
    dtype = wire.dtypes()[name]
    raw = torch.randint(0, 2 if name == "bool" else 256, (dtype.itemsize * 15,), dtype=torch.uint8)
    tensor = raw.view(dtype).reshape(3, 5)
    result = carried({"x": tensor})["x"]
    assert result.dtype is dtype
    assert same_bits(result, tensor)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24.0).reshape(4, 6).t(),
        torch.arange(24.0).reshape(4, 6)[1:3, 2:],
        torch.arange(24.0)[::3],
        torch.arange(5.0).expand(7, 5),
        torch.tensor(3.0).expand(1000, 1000)[:10],
        torch.zeros(0, 4),
        torch.zeros(3, 0, 2).transpose(0, 2),
        torch.tensor(2.5),
        torch.arange(10.0).unfold(0, 4, 2),
        torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.randn(8, dtype=torch.complex64).conj(),
        torch.randn(8, requires_grad=True),
        torch.nn.Parameter(torch.randn(3)),
    ],
    ids=lambda tensor: f"{tuple(tensor.shape)}{tensor.stride()}",
)
def test_shape_strides_and_values_are_kept(tensor: torch.Tensor) -> None:
    result = carried({"x": tensor})["x"]
    assert (result.shape, result.stride()) == (tensor.shape, tensor.stride())
    assert type(result) is torch.Tensor
    assert torch.equal(result, tensor.detach().resolve_conj())


def test_a_small_view_does_not_send_its_whole_storage() -> None:
    view = torch.zeros(1 << 20)[1000:1010]
    frame = wire.pack({}, {"x": view}, bytes(16))
    assert sum(len(part) for part in frame) < 500


def test_alignment_and_shared_memory_are_kept() -> None:
    base = torch.arange(1000.0)
    first, second = carried([base[3:20], base[10:30]])
    assert first.data_ptr() % 64 == base[3:].data_ptr() % 64 == 12
    first[7] = -1.0
    assert second[0] == -1.0


def test_tensors_of_one_message_do_not_share_what_was_apart() -> None:
    first, second = carried([torch.zeros(4), torch.ones(4)])
    assert first.untyped_storage().data_ptr() != second.untyped_storage().data_ptr()


def test_plain_values_keep_their_types() -> None:
    message = {
        "none": None,
        "flags": [True, False],
        "numbers": (1, -(1 << 80), 1.5, math.inf, -math.inf, 2 + 3j, complex(math.inf, 0.0)),
        "text": 'quotes " \n and ü and \u2028',
        "raw": b"\0\xff",
        "empty": b"",
        "nested": {"t": {"x": [{"f": ()}]}, 3: "three", "d": [[1, 2]]},
        "torch": [torch.float8_e5m2, torch.device("cuda:1"), torch.Size([1, 2])],
    }
    result = carried(message)
    assert result == {**message, "torch": [torch.float8_e5m2, torch.device("cuda:1"), (1, 2)]}
    assert math.isnan(carried([math.nan])[0])
    assert isinstance(result["numbers"], tuple)
    assert result["flags"][0] is True


@pytest.mark.parametrize(
    "value", [object(), {1.5: 2}, print, {"a": {1, 2}}, torch.zeros(3).to_sparse(), 1 << 5000]
)
def test_what_cannot_be_sent_is_refused(value: Any) -> None:
    with pytest.raises(WireError):
        wire.pack({}, value, bytes(16))


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(WireError, match="levels"):
        wire.pack({}, value, bytes(16))


@pytest.mark.parametrize(
    "entry",
    [
        ["float32", [4], [1], 13, 0],
        ["float32", [17], [1], 0, 0],
        ["float32", [2], [1 << 40], 0, 0],
        ["float32", [2, 2], [-1, 1], 0, 0],
        ["float32", [-2, -2], [1, 1], 0, 0],
        ["float32", [1 << 40], [0], 0, 0],
        ["float32", [1 << 31, 1 << 31, 0], [0, 0, 0], 1 << 49, 0],
        ["float32", [2**21] * 3, [0] * 3, 0, 0],
        ["float32", [1] * 40, [1] * 40, 0, 0],
        ["float32", [4], [1, 1], 0, 0],
        ["float32", [4.0], [1], 0, 0],
        ["float32", [True], [1], 0, 0],
        ["float32", [4], [1], 0, 1],
        ["float32", [4], [1], 0, -1],
        ["float32", "44", [1], 0, 0],
        ["float32", [4], [1], None, 0],
        ["float128", [4], [1], 0, 0],
        ["__class__", [4], [1], 0, 0],
        [["float32"], [4], [1], 0, 0],
        ["float32", [4], [1], 0],
        {"a": 1},
        None,
    ],
    ids=str,
)
def test_a_tensor_that_is_none_is_refused(entry: Any) -> None:
    with pytest.raises(WireError):
        parsed(tensor_frame(entry))


def test_the_tensor_frame_of_these_tests_is_accepted_when_it_is_right() -> None:
    assert parsed(tensor_frame(["float32", [16], [1], 0, 0])).shape == (16,)


@pytest.mark.parametrize(
    "changes",
    [
        {"sizes": [63]},
        {"sizes": [128]},
        {"sizes": [-64, 128], "kinds": ["x", "x"]},
        {"sizes": [64.0]},
        {"sizes": "64"},
        {"kinds": ["y"]},
        {"kinds": []},
        {"kinds": ["b"]},
        {"body": {"x": 1, "t": 2}},
        {"body": {}},
        {"body": {"q": 1}},
        {"body": {"d": {"a": 1}}},
        {"body": {"d": [[1.5, 2]]}},
        {"body": {"t": 5}},
        {"body": {"c": [1.0]}},
        {"body": {"f": "1"}},
        {"body": {"y": "float99"}},
        {"body": {"v": "cuda:../../x"}},
        {"body": {"b": 0}},
    ],
    ids=str,
)
def test_a_message_whose_parts_do_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        parsed(tensor_frame(["float32", [4], [1], 0, 0], **changes))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"body": NaN, "sizes": [], "kinds": []}',
        b'{"body": Infinity, "sizes": [], "kinds": []}',
        b"[" * 100_000,
        b'{"body":' + b"[" * 5000 + b"]" * 5000 + b',"sizes":[],"kinds":[]}',
        b'{"body":' + b"[" * 100 + b"]" * 100 + b',"sizes":[],"kinds":[]}',
        b'{"body":' + b"9" * 100_000 + b',"sizes":[],"kinds":[]}',
        b'{"body": [' + b"0," * 300_000 + b'0],"sizes":[],"kinds":[]}',
    ],
    ids=lambda text: text[:30].decode("latin1"),
)
def test_text_that_is_no_message_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        parsed(framed(text))


def test_sizes_are_checked_before_memory_is_taken() -> None:
    with pytest.raises(WireError, match="bytes of tensors"):
        wire.parse_header(wire.HEADER.pack(wire.MAGIC, 10, 10 << 30, bytes(16)), LIMIT, LIMIT)
    with pytest.raises(WireError, match="bytes of text"):
        wire.parse_header(wire.HEADER.pack(wire.MAGIC, 1 << 31, 0, bytes(16)), LIMIT, LIMIT)
    with pytest.raises(WireError, match="no frame"):
        wire.parse_header(bytes(32), LIMIT, LIMIT)


def test_an_expanded_tensor_that_would_fill_memory_is_refused() -> None:
    tensor = torch.zeros(1).expand(1 << 30)
    with pytest.raises(WireError, match="written out"):
        carried({"x": tensor})


def test_booleans_that_are_neither_true_nor_false_become_true() -> None:
    frame = tensor_frame(["bool", [64], [1], 0, 0], bytes(range(64)))
    assert parsed(frame).view(torch.uint8).tolist() == [0] + [1] * 63


def test_a_storage_of_booleans_and_numbers_is_refused() -> None:
    entries = [{"x": [name, [4], [1], 0, 0]} for name in ("bool", "uint8")]
    text = {"body": entries, "sizes": [64], "kinds": ["x"]}
    with pytest.raises(WireError, match="booleans"):
        parsed(framed(text, bytes(64)))


def test_text_that_cannot_be_printed_is_replaced() -> None:
    text = b'{"body": ["\\ud800"], "sizes": [], "kinds": []}'
    assert parsed(framed(text)) == ["?"]
