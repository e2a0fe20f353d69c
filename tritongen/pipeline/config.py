"""The configuration of a build: TOML in, one frozen and checked model out."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from tritongen.errors import ConfigError
from tritongen.splits import Split

Device = Literal["auto", "cpu", "cuda", "none"]
Count = Annotated[StrictInt, Field(ge=1)]
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


def _listed(value: object) -> object:
    """A single value of a filter stands for the list of it."""
    return [value] if isinstance(value, str | int | float | bool) else value


Where = dict[str, Annotated[list[Scalar], BeforeValidator(_listed), Field(min_length=1)]]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FamilyConfig(_Model):
    """One family's part in a build."""

    weight: float = Field(default=1.0, gt=0)
    """Its share of `count`, relative to the other families'."""
    where: Where = {}
    """Axes filtered to these values, on top of the build's own `where`."""
    strategies: Annotated[list[StrictStr], Field(min_length=1)] | None = None
    """Only these strategies; all if left out."""


class VerifyConfig(_Model):
    """How pairs are proved before they enter the dataset."""

    device: Device = "auto"
    """`auto` takes a GPU if there is one; `none` builds without verification, as the card says."""
    workers: Count | None = None
    """Worker processes; as many as there are cores if left out."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds until a pair that hangs is given up."""
    targets: Annotated[list[StrictStr], Field(min_length=1)] | None = None
    """Targets to compile for without a GPU; the verifier's own list if left out."""


class SplitConfig(_Model):
    """The share of the operations that each split gets. A split with share 0 is not made."""

    train: float = Field(default=0.9, gt=0, le=1)
    validation: float = Field(default=0.05, ge=0, lt=1)
    test: float = Field(default=0.05, ge=0, lt=1)

    @model_validator(mode="after")
    def _adds_up(self) -> SplitConfig:
        if abs(self.train + self.validation + self.test - 1) > 1e-6:
            raise ValueError(
                f"train + validation + test is {self.train + self.validation + self.test:g}, not 1"
            )
        return self

    def ratios(self) -> dict[Split, float]:
        """The shares by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


def _families(value: object) -> object:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        return value
    names: dict[str, object] = {}
    for name in value:
        if not isinstance(name, str):
            raise ValueError(f"a family's name must be a string, not {name!r}")
        if name in names:
            raise ValueError(f"the family {name!r} stands twice")
        names[name] = {}
    return names


class BuildConfig(_Model):
    """What `build` makes. Every field has a default; unknown fields are errors."""

    out: Path = Path("dataset")
    """The folder to write, relative to where the command runs."""
    name: StrictStr = Field(default="Triton kernels by tritongen", min_length=1)
    """The title on the dataset card."""
    license: StrictStr = Field(default="apache-2.0", min_length=1)
    """The licence on the dataset card, as the Hub spells it."""
    seed: StrictInt = Field(default=0, ge=0)
    """Another seed draws another sample."""
    count: Count = 1000
    """Pairs to draw. Those that verification refuses are not replaced: see `oversample`."""
    oversample: float = Field(default=0.0, ge=0, le=10)
    """Draw this share of `count` more, to make up for refusals. All pairs that pass are kept."""
    families: Annotated[
        Annotated[dict[str, FamilyConfig], Field(min_length=1)] | None, BeforeValidator(_families)
    ] = None
    """A list of names, or a table of families with their own settings; all families if left out."""
    where: Where = {}
    """Axes filtered to these values, in every family that has them."""
    templates: list[Path] = []
    """Folders with templates of your own, relative to the configuration file."""
    presentations: Count = 8
    """At most so many presentations (names, comments, docstrings) per program."""
    tuning: Count = 4
    """At most so many tunings (block sizes, warps, stages) per computation, strategy and form."""
    verify: VerifyConfig = VerifyConfig()
    split: SplitConfig = SplitConfig()
    format: Literal["parquet", "jsonl"] = "parquet"
    shard_size: StrictInt = Field(default=4096, ge=1, le=1_000_000)
    """Pairs per shard, before the split; a shard is written and resumed as a whole."""

    @property
    def attempts(self) -> int:
        """How many pairs are drawn."""
        return self.count + round(self.count * self.oversample)

    def content(self) -> dict[str, Any]:
        """The fields on which the content of the dataset depends, in plain values.

        Where it is written and by how many workers is left out; the templates have their own hash.
        """
        values = self.model_dump(mode="json", exclude={"out", "templates"})
        del values["verify"]["workers"]
        return values

    def digest(self) -> str:
        """The hash of `content`."""
        text = json.dumps(self.content(), ensure_ascii=False, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def load_config(source: BuildConfig | str | Path | Mapping[str, Any]) -> BuildConfig:
    """A configuration from a TOML file, or from a mapping of its fields.

    Raises ConfigError with the field, its value and the known fields or values.
    """
    if isinstance(source, BuildConfig):
        return source
    if isinstance(source, Mapping):
        return _checked("config", dict(source), Path())
    if not isinstance(source, str | Path):
        raise ConfigError(
            "config", "a TOML file or a mapping of its fields is expected", value=source
        )
    path = Path(source)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            str(path), "there is no such file", hint="examples/ has configurations to start from"
        ) from None
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"is not text in UTF-8 ({error.reason})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            str(path), f"is not whole TOML: {error}", hint="correct the file at that place"
        ) from None
    return _checked(str(path), values, path.parent)


def _checked(place: str, values: dict[str, Any], folder: Path) -> BuildConfig:
    try:
        config = BuildConfig.model_validate(values)
    except ValidationError as error:
        raise _config_error(place, error) from None
    if not config.templates:
        return config
    return config.model_copy(update={"templates": [folder / root for root in config.templates]})


def _config_error(place: str, error: ValidationError) -> ConfigError:
    """The first fault in full, the fields of the others as a hint."""
    faults = error.errors(include_url=False)
    # A union reports a fault per branch; those of one field are one fault.
    fields: dict[str, dict[str, Any]] = {}
    for fault in faults:
        fields.setdefault(_field(fault["loc"]), dict(fault))
    (field, fault), *others = fields.items()
    value = fault.get("input")
    known: tuple[str, ...] = ()
    problem = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        problem, value = "unknown key", str(fault["loc"][-1])
        known = _known_keys(fault["loc"][:-1])
    elif fault["type"] == "literal_error":
        problem = "is not one of the known values"
        known = tuple(str(item) for item in _literals(str(fault["ctx"]["expected"])))
    hint = "wrong as well: " + ", ".join(name for name, _ in others) if others else ""
    where = f"{place}: {field}" if field else place
    if isinstance(value, dict | list) and len(str(value)) > 80:
        value = None
    return ConfigError(where, problem, value=value, known=known, hint=hint)


def _field(loc: tuple[int | str, ...]) -> str:
    """`families.softmax.where.op[0]`; pydantic's names for branches of a union drop out."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part not in _BRANCHES:
            text += f".{part}" if text else str(part)
    return text


_BRANCHES = ("bool", "int", "float", "str", "constrained-str", "[key]")


def _known_keys(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    models: dict[str, type[BaseModel]] = {"verify": VerifyConfig, "split": SplitConfig}
    if not loc:
        return tuple(BuildConfig.model_fields)
    model = models.get(str(loc[0]), FamilyConfig)
    return tuple(model.model_fields)


def _literals(expected: str) -> list[str]:
    return [item.strip("' ") for item in expected.replace(" or ", ",").split(",")]
