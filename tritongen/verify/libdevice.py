"""`triton.language.extra.libdevice` for the interpreter: each symbol as a function of NumPy.

Triton's own dispatch (which dtypes a function takes, how its arguments broadcast) stays in place;
only the last step, the call of a symbol of the device library, is computed here, in float64 and
rounded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Function = Callable[..., np.ndarray]


def _torch(function: Callable[..., torch.Tensor]) -> Function:
    def call(*values: np.ndarray) -> np.ndarray:
        with torch._C.DisableTorchFunction():
            tensors = [torch.from_numpy(np.array(value, dtype=np.float64)) for value in values]
            return function(*tensors).numpy()

    return call


def _round_away(x: np.ndarray) -> np.ndarray:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


_SPECIAL = torch.special

FLOAT: dict[str, Function] = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp")},
    **{name: getattr(np, name) for name in ("exp2", "expm1", "log", "log2", "log10", "log1p")},
    **{name: getattr(np, name) for name in ("sqrt", "cbrt", "floor", "ceil", "trunc", "rint")},
    **{name: getattr(np, name) for name in ("fmin", "fmax", "hypot", "copysign", "nextafter")},
    "acos": np.arccos,
    "asin": np.arcsin,
    "atan": np.arctan,
    "acosh": np.arccosh,
    "asinh": np.arcsinh,
    "atanh": np.arctanh,
    "atan2": np.arctan2,
    "pow": np.power,
    "powi": np.power,
    "fabs": np.abs,
    "fmod": np.fmod,
    "remainder": lambda x, y: x - y * np.rint(x / y),
    "fdim": lambda x, y: np.where(x > y, x - y, 0.0),
    "fma": lambda x, y, z: x * y + z,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "rcbrt": lambda x: 1.0 / np.cbrt(x),
    "rcp": lambda x: 1.0 / x,
    "exp10": lambda x: np.power(10.0, x),
    "sinpi": lambda x: np.sin(math.pi * np.fmod(x, 2.0)),
    "cospi": lambda x: np.cos(math.pi * np.fmod(x, 2.0)),
    "rhypot": lambda x, y: 1.0 / np.hypot(x, y),
    "norm3d": lambda x, y, z: np.sqrt(x * x + y * y + z * z),
    "norm4d": lambda x, y, z, w: np.sqrt(x * x + y * y + z * z + w * w),
    "round": _round_away,
    "nearbyint": np.rint,
    "logb": lambda x: np.floor(np.log2(np.abs(x))),
    "ldexp": np.ldexp,
    "scalbn": np.ldexp,
    "saturate": lambda x: np.clip(np.nan_to_num(x, nan=0.0), 0.0, 1.0),
    "erf": _torch(torch.erf),
    "erfc": _torch(torch.erfc),
    "erfinv": _torch(torch.erfinv),
    "erfcinv": _torch(lambda x: torch.erfinv(1.0 - x)),
    "erfcx": _torch(_SPECIAL.erfcx),
    "normcdf": _torch(_SPECIAL.ndtr),
    "normcdfinv": _torch(_SPECIAL.ndtri),
    "lgamma": _torch(torch.lgamma),
    "tgamma": np.vectorize(lambda x: _gamma(float(x)), otypes=[np.float64]),
    "j0": _torch(_SPECIAL.bessel_j0),
    "j1": _torch(_SPECIAL.bessel_j1),
    "y0": _torch(_SPECIAL.bessel_y0),
    "y1": _torch(_SPECIAL.bessel_y1),
    "cyl_bessel_i0": _torch(_SPECIAL.i0),
    "cyl_bessel_i1": _torch(_SPECIAL.i1),
    "isnan": np.isnan,
    "isnand": np.isnan,
    "isinf": np.isinf,
    "isinfd": np.isinf,
    "finite": np.isfinite,
    "isfinite": np.isfinite,
    "isfinited": np.isfinite,
    "signbit": np.signbit,
    "signbitd": np.signbit,
}
for _fast in ("sin", "cos", "tan", "exp", "exp10", "log", "log2", "log10", "pow"):
    FLOAT[f"fast_{_fast}"] = FLOAT[_fast]
FLOAT["fast_fdivide"] = np.divide
for _mode in ("rn", "rz", "rd", "ru"):
    FLOAT[f"sqrt_{_mode}"] = np.sqrt
    FLOAT[f"rcp_{_mode}"] = FLOAT["rcp"]
    FLOAT[f"div_{_mode}"] = np.divide
    FLOAT[f"add_{_mode}"] = np.add
    FLOAT[f"mul_{_mode}"] = np.multiply
    FLOAT[f"fma_{_mode}"] = FLOAT["fma"]
    for _d in ("f", "d"):
        for _op, _function in (("add", np.add), ("mul", np.multiply), ("div", np.divide)):
            FLOAT[f"{_d}{_op}_{_mode}"] = _function
        FLOAT[f"{_d}sqrt_{_mode}"] = np.sqrt
        FLOAT[f"{_d}rcp_{_mode}"] = FLOAT["rcp"]

INTEGER: dict[str, Function] = {
    "abs": np.abs,
    "llabs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
    "llmin": np.minimum,
    "llmax": np.maximum,
    "umin": np.minimum,
    "umax": np.maximum,
    "popc": lambda x: np.vectorize(lambda v: int(v).bit_count(), otypes=[np.int32])(_unsigned(x)),
    "popcll": lambda x: np.vectorize(lambda v: int(v).bit_count(), otypes=[np.int32])(_unsigned(x)),
    "clz": lambda x: np.vectorize(lambda v: 32 - int(v).bit_length(), otypes=[np.int32])(
        _unsigned(x)
    ),
    "clzll": lambda x: np.vectorize(lambda v: 64 - int(v).bit_length(), otypes=[np.int32])(
        _unsigned(x)
    ),
}


def _unsigned(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x).view(f"uint{x.dtype.itemsize * 8}")


def _gamma(x: float) -> float:
    try:
        return math.gamma(x)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def lookup(symbol: str) -> Function | None:
    """The function behind `__nv_<name>[f]`, or None."""
    name = symbol.removeprefix("__nv_")
    for candidate in (name, name[:-1] if name.endswith("f") else name):
        if candidate in FLOAT:
            return FLOAT[candidate]
        if candidate in INTEGER:
            return INTEGER[candidate]
    return None


def evaluate(symbol: str, values: list[np.ndarray], result: Any) -> np.ndarray:
    """Apply a symbol of the device library; the values have one shape, `result` is the dtype."""
    function = lookup(symbol)
    if function is None:
        raise NotImplementedError(f"extern_elementwise not supported in interpreter mode: {symbol}")
    wide = [v.astype(np.float64) if v.dtype.kind == "f" else v for v in values]
    return np.asarray(function(*wide)).astype(result)
