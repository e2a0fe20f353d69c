"""Messages between a trusted parent and a process that may lie: JSON and raw bytes, no pickle.

A frame is a header (magic, length of the text, length of the bytes, nonce), the text, and the
bytes of the storages that its tensors are views of. Of each storage only the part that some tensor
spans is sent; tensors that share memory go on sharing it, strides and the alignment to 64 bytes
are kept. Devices are not: tensors are sent from wherever they are and arrive in host memory.

`Decoder` trusts nothing: names come from lists, sizes are bounded before memory is taken, every
view lies within its storage, and whatever is wrong is a `WireError`.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

MAGIC = b"TGS1"
HEADER = struct.Struct("<4sIQ16s")
MAX_DEPTH = 32
MAX_NODES = 200_000
MAX_TENSORS = 4096
MAX_DIMENSIONS = 32
MAX_INTEGER_BITS = 1024
ALIGNMENT = 64

_DTYPES = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128"),
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
    "float4_e2m1fn_x2",
)
_DEVICE = re.compile(r"(cpu|cuda|meta)(:\d{1,2})?")
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class WireError(ValueError):
    """A message that cannot be sent, or bytes that are no message."""


def dtypes() -> dict[str, torch.dtype]:
    """The dtypes that can be sent, by name."""
    import torch

    return {name: getattr(torch, name) for name in _DTYPES if hasattr(torch, name)}


@dataclass(slots=True)
class _Span:
    """The part of one storage that is sent."""

    storage: torch.UntypedStorage
    low: int
    high: int


@dataclass(slots=True)
class Encoder:
    """Turns one value into text and storages."""

    spans: dict[int, _Span] = field(default_factory=dict)
    blobs: list[Any] = field(default_factory=list)
    _tensors: list[tuple[list[Any], torch.Tensor, int]] = field(default_factory=list)
    _numbers: dict[int, int] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)
    _nodes: int = 0

    def encode(self, value: Any) -> Any:
        """The JSON form of `value`; storages are complete after `finish`."""
        import torch

        with torch._C.DisableTorchFunction():
            return self._value(value, 0)

    def finish(self) -> list[memoryview]:
        """The bytes of the storages, in order; fills in the offsets of the tensors."""
        import torch

        with torch._C.DisableTorchFunction():
            for number, span in self.spans.items():
                span.low -= span.low % ALIGNMENT
                size = span.high - span.low
                view = torch.empty(0, dtype=torch.uint8)
                if size:
                    view = view.set_(span.storage, span.low, (size,), (1,))
                data: Any = view.numpy()
                self.blobs[number] = memoryview(data)
            for entry, tensor, number in self._tensors:
                low = self.spans[number].low
                size = tensor.element_size()
                entry[3] = (int(tensor.storage_offset()) * size - low) // size
        return self.blobs

    def _value(self, value: Any, depth: int) -> Any:
        import torch

        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise WireError(f"a message has at most {MAX_DEPTH} levels and {MAX_NODES} values")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str(value)
        if isinstance(value, int):
            if value.bit_length() > MAX_INTEGER_BITS:
                raise WireError(f"an integer of {value.bit_length()} bits")
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"f": str(float(value))}
        if isinstance(value, list):
            return [self._value(item, depth + 1) for item in value]
        if isinstance(value, tuple):
            return {"t": [self._value(item, depth + 1) for item in value]}
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, (str, int)):
                    raise WireError(f"a key of type {type(key).__name__}")
            return {"d": [[key, self._value(item, depth + 1)] for key, item in value.items()]}
        if isinstance(value, torch.Tensor):
            return {"x": self._tensor(value)}
        if isinstance(value, (bytes, bytearray, memoryview)):
            self.blobs.append(memoryview(value).cast("B"))
            return {"b": len(self.blobs) - 1}
        if isinstance(value, complex):
            return {"c": [self._value(value.real, depth), self._value(value.imag, depth)]}
        if isinstance(value, torch.dtype):
            return {"y": str(value).removeprefix("torch.")}
        if isinstance(value, torch.device):
            return {"v": str(value)}
        raise WireError(f"a value of type {type(value).__name__} cannot be sent")

    def _tensor(self, tensor: torch.Tensor) -> list[Any]:
        import torch

        name = str(tensor.dtype).removeprefix("torch.")
        if name not in _DTYPES or tensor.layout is not torch.strided:
            raise WireError(f"a tensor of {tensor.dtype}, {tensor.layout} cannot be sent")
        if len(self._tensors) >= MAX_TENSORS or tensor.dim() > MAX_DIMENSIONS:
            raise WireError(f"over {MAX_TENSORS} tensors or {MAX_DIMENSIONS} dimensions")
        tensor = tensor.detach()
        if tensor.is_conj() or tensor.is_neg():
            tensor = tensor.resolve_conj().resolve_neg()
        if tensor.device.type != "cpu":
            tensor = _host_copy(tensor)
        size = tensor.element_size()
        low = int(tensor.storage_offset()) * size
        high = low + span_of(tensor.shape, tensor.stride()) * size
        storage = tensor.untyped_storage()
        pointer = storage.data_ptr() or -1 - len(self.blobs)
        number = self._numbers.get(pointer)
        if number is None:
            number = self._numbers[pointer] = len(self.blobs)
            self.blobs.append(None)
            self.spans[number] = _Span(storage, low, high)
            self._kept.append(tensor)
        elif high > low:
            span = self.spans[number]
            if span.high == span.low:
                span.low, span.high = low, high
            span.low, span.high = min(span.low, low), max(span.high, high)
        entry = [name, list(tensor.shape), list(tensor.stride()), 0, number]
        if high > low:
            self._tensors.append((entry, tensor, number))
        return entry


def _host_copy(tensor: torch.Tensor) -> torch.Tensor:
    """The elements of a tensor elsewhere, with its strides, in host memory."""
    import torch

    extent = span_of(tensor.shape, tensor.stride())
    flat = torch.as_strided(tensor, (extent,), (1,), tensor.storage_offset()).cpu()
    return torch.as_strided(flat, tensor.shape, tensor.stride(), 0)


def span_of(shape: Any, strides: Any) -> int:
    """Number of elements from the first to the last that a view touches, 0 if it is empty."""
    extent = 1
    for size, stride in zip(shape, strides, strict=True):
        if size == 0:
            return 0
        extent += (size - 1) * stride
    return extent


def pack(content: dict[str, Any], message: Any, nonce: bytes) -> list[Any]:
    """A frame as a list of buffers; `content` is JSON that goes along."""
    encoder = Encoder()
    body = encoder.encode(message)
    blobs = encoder.finish()
    sizes = [len(blob) for blob in blobs]
    kinds = ["x" if number in encoder.spans else "b" for number in range(len(blobs))]
    text = json.dumps(
        {**content, "body": body, "sizes": sizes, "kinds": kinds}, separators=(",", ":")
    ).encode()
    header = HEADER.pack(MAGIC, len(text), sum(sizes), nonce)
    return [header + text, *(blob for blob in blobs if len(blob))]


def parse_header(header: bytes, text_limit: int, bytes_limit: int) -> tuple[int, int, bytes]:
    """(length of the text, length of the bytes, nonce) of a frame."""
    magic, text, size, nonce = HEADER.unpack(header)
    if magic != MAGIC:
        raise WireError("what came is no frame")
    if text > text_limit:
        raise WireError(f"a frame with {text} bytes of text, over the limit of {text_limit}")
    if size > bytes_limit:
        raise WireError(f"a frame with {size} bytes of tensors, over the limit of {bytes_limit}")
    return text, size, nonce


def parse_text(text: bytes, size: int) -> Decoder:
    """The text of a frame, checked as far as memory for the storages is concerned."""

    def refuse(name: str) -> Any:
        raise WireError(f"{name} in a message")

    try:
        content = json.loads(text, parse_constant=refuse)
    except WireError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise WireError(f"a message that is no JSON ({type(error).__name__})") from None
    if not isinstance(content, dict):
        raise WireError("a message that is no object")
    sizes, kinds = content.pop("sizes", None), content.pop("kinds", None)
    body = content.pop("body", None)
    if not isinstance(sizes, list) or not isinstance(kinds, list) or len(sizes) != len(kinds):
        raise WireError("a message without the sizes of its storages")
    if len(sizes) > MAX_TENSORS or any(not _natural(item, size) for item in sizes):
        raise WireError("sizes of storages that are none")
    if sum(sizes) != size or any(kind not in ("x", "b") for kind in kinds):
        raise WireError("sizes of storages that do not add up")
    return Decoder(content, body, sizes, kinds)


def _natural(value: Any, limit: int) -> bool:
    return type(value) is int and 0 <= value <= limit


class Decoder:
    """A frame of which the text has come; the bytes are read into `buffers`."""

    def __init__(
        self, content: dict[str, Any], body: Any, sizes: list[int], kinds: list[str]
    ) -> None:
        import torch

        self.content = content
        self._body = body
        self._blobs: list[Any] = [
            torch.empty(size, dtype=torch.uint8) if kind == "x" else bytearray(size)
            for size, kind in zip(sizes, kinds, strict=True)
        ]
        self._bool: dict[int, bool] = {}
        self._nodes = 0
        self._tensors = 0
        self._room = 0
        self._dtypes = dtypes()

    def buffers(self) -> list[memoryview]:
        """Where the bytes of the storages go, in order."""
        views = [
            memoryview(blob if isinstance(blob, bytearray) else blob.numpy())
            for blob in self._blobs
        ]
        return [view for view in views if len(view)]

    def value(self, limit: int) -> Any:
        """The message; tensors of over `limit` bytes in all, if written out, are refused."""
        import torch

        self._room = limit
        with torch._C.DisableTorchFunction():
            return self._value(self._body, 0)

    def _value(self, value: Any, depth: int) -> Any:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise WireError("a message with too many levels or values")
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, int):
            if value.bit_length() > MAX_INTEGER_BITS:
                raise WireError("an integer that is too long")
            return value
        if isinstance(value, str):
            return _clean(value)
        if isinstance(value, list):
            return [self._value(item, depth + 1) for item in value]
        if len(value) != 1:
            raise WireError("an object in a message that is none")
        ((tag, content),) = value.items()
        method = _TAGS.get(tag)
        if method is None:
            raise WireError("an object in a message of an unknown kind")
        return method(self, content, depth)

    def _items(self, content: Any, depth: int) -> Iterator[Any]:
        if not isinstance(content, list):
            raise WireError("a list in a message that is none")
        return (self._value(item, depth + 1) for item in content)

    def _tuple(self, content: Any, depth: int) -> Any:
        return tuple(self._items(content, depth))

    def _dict(self, content: Any, depth: int) -> Any:
        result: dict[Any, Any] = {}
        if not isinstance(content, list):
            raise WireError("a dictionary in a message that is none")
        for item in content:
            if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], (str, int)):
                raise WireError("a dictionary in a message that is none")
            key = self._value(item[0], depth + 1)
            result[key] = self._value(item[1], depth + 1)
        return result

    def _float(self, content: Any, _depth: int) -> Any:
        if not isinstance(content, str) or content not in _FLOATS:
            raise WireError("a float in a message that is none")
        return _FLOATS[content]

    def _complex(self, content: Any, depth: int) -> Any:
        parts = list(self._items(content, depth))
        if len(parts) != 2 or not all(isinstance(part, float) for part in parts):
            raise WireError("a complex number in a message that is none")
        return complex(*parts)

    def _bytes(self, content: Any, _depth: int) -> Any:
        if not _natural(content, len(self._blobs) - 1):
            raise WireError("bytes in a message that are none")
        blob = self._blobs[content]
        if not isinstance(blob, bytearray):
            raise WireError("bytes in a message that are a tensor's")
        return bytes(blob)

    def _dtype(self, content: Any, _depth: int) -> Any:
        if not isinstance(content, str) or content not in self._dtypes:
            raise WireError("an unknown dtype in a message")
        return self._dtypes[content]

    def _device(self, content: Any, _depth: int) -> Any:
        import torch

        if not isinstance(content, str) or not _DEVICE.fullmatch(content):
            raise WireError("an unknown device in a message")
        return torch.device(content)

    def _tensor(self, content: Any, _depth: int) -> Any:
        import torch

        self._tensors += 1
        if not isinstance(content, list) or len(content) != 5 or self._tensors > MAX_TENSORS:
            raise WireError("a tensor in a message that is none")
        name, shape, strides, offset, number = content
        dtype = self._dtype(name, 0)
        if not _natural(number, len(self._blobs) - 1) or not _natural(offset, 1 << 48):
            raise WireError("a tensor without a storage")
        for numbers in (shape, strides):
            if not isinstance(numbers, list) or len(numbers) > MAX_DIMENSIONS:
                raise WireError("a tensor without a shape")
            if not all(_natural(item, 1 << 48) for item in numbers):
                raise WireError("a tensor with sizes or strides that are none")
        blob = self._blobs[number]
        if len(shape) != len(strides) or isinstance(blob, bytearray):
            raise WireError("a tensor with strides or a storage that do not fit")
        if math.prod(size or 1 for size in shape) >= 1 << 62:
            raise WireError("a tensor of a size that is none")
        self._room -= math.prod(shape) * dtype.itemsize
        if self._room < 0:
            raise WireError("tensors that are too large when written out")
        extent = span_of(shape, strides)
        if (offset + extent) * dtype.itemsize > len(blob):
            raise WireError("a tensor that reaches out of its storage")
        if self._bool.setdefault(number, dtype is torch.bool) != (dtype is torch.bool):
            raise WireError("a storage of booleans and other things")
        if dtype is torch.bool:
            blob.clamp_(max=1)
        return torch.empty(0, dtype=dtype).set_(
            blob.untyped_storage(), offset, tuple(shape), tuple(strides)
        )


_TAGS: dict[str, Any] = {
    "t": Decoder._tuple,
    "d": Decoder._dict,
    "f": Decoder._float,
    "c": Decoder._complex,
    "b": Decoder._bytes,
    "y": Decoder._dtype,
    "v": Decoder._device,
    "x": Decoder._tensor,
}


def _clean(text: str) -> str:
    """Text without lone surrogates, which nothing can print."""
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text
