"""`wrap` breaks lines as the real `ruff format` does, over generated lines of the kinds that kernels have."""

from __future__ import annotations

import ast
import random
import subprocess
import sys
import warnings

import pytest

from tritongen.layout import wrap

LINES = [
    "{a} = tl.load({p} + {b}[:, None] * {s} + {c}[None, :] * {t}, mask={m}[:, None] & {n}[None, :], other=0.0)",
    "{a} = tl.load({p} + {b}, mask={m}, other=-float('inf')).to(tl.float32)",
    "{p} = {q} + ({b}[:, None] * {s} + {c}[None, :] * {t})",
    "tl.store({p} + {b} * {s} + {c}, {a} / {n}, mask={m})",
    "tl.store({p} + {b}[:, None] * {s} + {c}[None, :], {a}.to({p}.dtype.element_ty), mask={m}[:, None] & {n})",
    "tl.atomic_add({p} + {b}, tl.sum({a} * {c}, axis=0), mask={m}, sem='relaxed')",
    "{a} = tl.dot({b}, {c}, {a}, input_precision='ieee')",
    "{a} += tl.dot({b}.to(tl.float32), tl.trans({c}), input_precision='ieee') * {s}",
    "{a}, {b} = tl.load({p} + {c}, mask={m}), tl.load({q} + {c}, mask={m})",
    "{a}, {b} = triton.cdiv({c}, {s}), triton.cdiv({n}, {t})",
    "{a}, {b}, {c} = helper_combine({p}, {q}, {s}, {t}, {m}, {n})",
    "{a} = tl.where({m}[:, None] & ({b}[None, :] < {n}), tl.exp({a} - {c}[:, None]), 0.0)",
    "{m} = ({b}[:, None] < {n}) & ({c}[None, :] < {s}) & ({t} >= {a})",
    "{a} = {b} * {c} + ({s} - {t}) * {n} / ({p} + {q})",
    "{a} = 0.5 * {b} * (1.0 + tl.erf({b} * 0.7071067811865476)) + {c} - {s}",
    "{a} = {b} + {c} if {m} < {n} else {s} * {t} - {p}",
    "{a} = {b} if {c} is None else {s}.reshape({n}, {t}).contiguous()",
    "{a} = {b}.{c}.{s}.{t}.{p}.{n}({m})",
    "{a} = torch.nn.functional.layer_norm({b}, ({n},), {c}, {s}, {t})",
    "{a} = torch.empty(({b}.shape[0], {n}), device={b}.device, dtype={c}.dtype)",
    "{a} = ({b} - {c}).abs().sum(dim=1) / {n}",
    "{a} = ({b} - {c}).{s}().{t}(dim=-1, keepdim=True).{p}({m})",
    "{a} = {b}.{s}({m}).{t}(dim=-1, keepdim=True).{p}({n})",
    "{a} = ({b} ** 2).mean(dim=-1, keepdim=True) - {c}.mean() ** 2 + {s}",
    "{a} = {b}**2 + {c}[{m}, {n}] * {s} + torch.sum({t})",
    "return {a} * {b} + {c} - {s}",
    "return torch.where({m}, {a}, {b}), {c}.view({n}, {s}).sum(dim=0)",
    "return {a}, {b}, {c}.to({s}.dtype).reshape({n}, {t})",
    "return torch.nn.functional.softmax({a} / {b}.sqrt(), dim=-1).to({c})",
    "return {p}({a}, {b}, {c}, {s})[{n}]",
    "kernel[({n}, {s})]({a}, {b}, {c}, {p}, {q}, {t}, {m}, BLOCK_M={s}, BLOCK_N={t}, num_warps=4)",
    "kernel[(triton.cdiv({n}, {s}),)]({a}, {b}, {c}.stride(0), {c}.stride(1), BLOCK_SIZE=1024)",
    "{a}[{b}]({c}, {s}, {t}, {n}, {p}, {q}, {m})",
    'grid = lambda meta: (triton.cdiv({n}, meta["BLOCK_M"]) * triton.cdiv({s}, meta["BLOCK_N"]),)',
    'grid = lambda meta: (triton.cdiv({n}, meta["{t}"]), {s}, {a})',
    "{a} = lambda {b}: {c}({s}, {t}, {n}) + {m}",
    "{a}({b}, lambda {c}: {s} * {t} + {n}, {m}, {p}={q})",
    "for {a} in range(tl.program_id(0) * {b}, {n}, {s} * {t}):\n    pass",
    "for {a}, {b} in zip({c}.split({s}), {t}.split({n}), strict=True):\n    pass",
    "for {a} in tl.range({b}, {c}, {s}, num_stages={t}):\n    pass",
    "if {a} % {b} == 0 and {c} + {s} <= {n} or {m} is not None:\n    pass",
    "while {a} < {b} and not {m}.{c}({s}, {t}):\n    pass",
    "assert {a}.is_contiguous() and {b}.is_contiguous(), 'inputs must be contiguous'",
    "assert {a}.shape[{b}] == {c}.shape[{s}], f'expected {{{a}}}, not {{{c}}}, in a long message that goes on'",
    "assert torch.allclose({a}, {b}, rtol={s}, atol={t}), ({c} - {n}).abs().max()",
    "raise ValueError(f'{a} must have {{{b}}} columns, not {{{c}}}: ' + {s}.{t}({n}))",
    "with pytest.raises({a}, match={b}.{c}({s}, {t})):\n    pass",
    "with torch.no_grad(), torch.random.fork_rng(devices=[{a}, {b}, {c}]):\n    pass",
    "@pytest.mark.parametrize('{a}, {b}', [({c}, {s}), ({t}, {n}), (1, 2)])\ndef f():\n    pass",
    "@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16, {a}])\ndef f():\n    pass",
    "@triton.autotune(configs=[triton.Config({{'BLOCK_M': 64, 'BLOCK_N': {a}}}, num_warps=4), triton.Config("
    "{{'BLOCK_M': 128, 'BLOCK_N': {b}}}, num_warps=8)], key=['{c}', '{s}'])\ndef f():\n    pass",
    "@triton.heuristics({{'EVEN_K': lambda args: args['{a}'] % (args['{b}'] * args['{c}']) == 0}})\ndef f():\n    pass",
    "def {a}({b}, {c}, {s}, {t}, {n}, BLOCK_M: tl.constexpr, {m}: tl.constexpr = 4):\n    pass",
    "def {a}({b}: torch.Tensor, {c}: torch.Tensor, eps: float = 1e-5) -> tuple[torch.Tensor, torch.Tensor]:\n    pass",
    "def {a}(self, {b}, *, {c}=None, **{s}) -> torch.Tensor:\n    pass",
    "def {a}({b}: dict[str, {c}]) -> None:\n    pass",
    "from {a}.{b} import {c}, {s}, {t}, {n}",
    "self.{a} = torch.nn.Parameter(torch.ones({b}, {c}, dtype=torch.float32))",
    "{a}[{b}, {c}] = {s}.{t}({n}) + {m}",
    "{a} = [{b}, {c}, ({s} + {t}) * {n}, {m}]",
    "{a} = {{'{b}': {c}, '{s}': {t} + {n}, '{m}': [{p}, {q}]}}",
    "{a} = [{b}.{c}({s}) for {s} in {t}.{n}({m}) if {s} is not {p}]",
    "{a} = sum({b} * {c} for {b} in {s} if {b} < {n}) / {t}",
    "{a} = tl.make_block_ptr({p}, ({n}, {s}), ({t}, 1), ({b} * {c}, 0), ({m}, {q}), (1, 0))",
    "{a} = -{b} * {c} + ~{s} - (-{t}) * {n}",
    "{a}: tl.constexpr = {b}.{c}({s}, {t}) // {n}",
    "{a} = {b} @ {c}.transpose(-1, -2) / math.sqrt({s}) + {t}[:, None, :, :]",
    "torch.testing.assert_close({a}({b}, {c}), {s}({t}, {n}), rtol=1e-3, atol={m})",
    "{a} = {b}[{c}[:, None] * {s} + {t} : {n} + {m}, :]",
]
SHORT = "xyzabcmnkijpqwst"
OPERATORS = [" + ", " - ", " * ", " * ", " / ", " // ", " % ", " & ", " | ", " @ ", " ** ", " << "]


class Lines:
    """Random statements: from the list above, and from a small grammar of expressions."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.nested = 0

    def name(self) -> str:
        draw = self.draw
        if draw.random() < 0.3:
            return draw.choice(SHORT)
        return (
            draw.choice(SHORT)
            + draw.choice(["_ptr", "_start", "_", "x"]) * draw.randint(0, 3)
            + "q" * draw.randint(0, 22)
        )

    def listed(self) -> str:
        return self.draw.choice(LINES).format_map({letter: self.name() for letter in "abcstnmpq"})

    def arguments(self, depth: int, least: int = 0) -> str:
        self.nested += 1
        draw = self.draw
        out = [self.expression(depth - 1) for _ in range(max(least, draw.choice([0, 1, 1, 2, 3])))]
        keywords = draw.sample(["mask", "other", "axis", "dtype"], draw.choice([0, 0, 1, 2]))
        out += [f"{keyword}={self.expression(depth - 1)}" for keyword in keywords]
        self.nested -= 1
        return ", ".join(out)

    def primary(self, depth: int) -> str:
        draw, chance = self.draw, self.draw.random()
        if depth <= 0 or chance < 0.35:
            return (
                self.name()
                if draw.random() < 0.8
                else draw.choice(["0", "1.0", '"cuda"', "None", 'f"{x} == {y}"'])
            )
        if chance < 0.6:
            out = f"{draw.choice(['tl.load', 'tl.sum', 'torch.nn.functional.layer_norm', 'f'])}({self.arguments(depth)})"
        elif chance < 0.7:
            out = f"({self.expression(depth - 1)} + {self.expression(depth - 1)})"
        elif chance < 0.75:
            out = f"[{self.expression(depth - 1)}, {self.expression(depth - 1)}]"
        elif chance < 0.78:
            out = f"({self.expression(depth - 1)},)"
        else:
            out = self.name()
        for _ in range(draw.choice([0, 0, 0, 1, 1, 2, 3])):
            out += draw.choice(
                [
                    f".{self.name()}",
                    f".{self.name()}({self.arguments(depth - 1)})",
                    "[:, None]",
                    f"[{self.expression(depth - 1)}]",
                ]
            )
        return out

    def chain(self, depth: int) -> str:
        out = self.draw.choice(["", "", "", "", "-", "~"]) + self.primary(depth)
        for _ in range(self.draw.choice([0, 0, 0, 1, 1, 2, 3]) if depth > 0 else 0):
            out += self.draw.choice(OPERATORS) + self.primary(depth - 1)
        return out

    def comparison(self, depth: int) -> str:
        return (
            self.chain(depth - 1)
            + self.draw.choice([" < ", " == ", " is not ", " not in "])
            + self.chain(depth - 1)
        )

    def expression(self, depth: int) -> str:
        chance = self.draw.random()
        if depth <= 0:
            return self.primary(0)
        if chance < 0.08:
            return self.comparison(depth)
        if chance < 0.12:
            return (
                self.comparison(depth)
                + self.draw.choice([" and ", " or not "])
                + self.comparison(depth)
            )
        if chance < 0.17:
            return f"{self.chain(depth - 1)} if {self.comparison(depth - 1)} else {self.chain(depth - 1)}"
        if chance < 0.19 and self.nested:
            return f"lambda meta: {self.expression(depth - 1)}"
        return self.chain(depth)

    def grown(self) -> str:
        value = self.expression(self.draw.choice([2, 3, 3, 4]))
        head = self.draw.choice(
            ["{a} = {v}", "{a} += {v}", "{a}, {b} = {v}", "{a}[{b}] = {v}", "return {v}", "return {v}, {a}", "if {v}:\n    pass",
             "assert {v}, {a}", "assert {b} < {a}, {v}", "tl.store({a}, {v})", "for {a} in f({v}):\n    pass", "while {v}:\n    pass"]
        )  # fmt: skip
        return head.format(a=self.name(), b=self.name(), v=value)

    def statement(self) -> str:
        while True:
            text = self.listed() if self.draw.random() < 0.5 else self.grown()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    ast.parse(
                        f"def f():\n    {text}".replace("\n    pass", "\n        pass").replace(
                            "\ndef", "\n    def"
                        )
                    )
                except SyntaxError:
                    continue
            return text


def ruff(statements: list[str], width: int) -> list[str]:
    """Each statement as `ruff format` prints it at an indentation of 4."""
    parts = [f"# @\ndef f():\n{_indented(text)}" for text in statements]
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--target-version", "py311"]
    done = subprocess.run(
        [*command, "--line-length", str(width), "-"],
        input="".join(parts),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [part.split("def f():\n", 1)[1].rstrip("\n") for part in done.stdout.split("# @\n")[1:]]


def _indented(text: str) -> str:
    return "".join([f"    {line}\n" for line in text.split("\n")])


def _dedented(text: str) -> str:
    return "\n".join([line[4:] for line in text.split("\n")])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_lines_break_as_ruff_breaks_them(seed: int) -> None:
    lines = Lines(seed)
    flat = ruff([lines.statement() for _ in range(5000)], 320)
    logical = [text for text in flat if max(map(len, text.split("\n"))) <= 320]
    logical = [
        text
        for text in logical
        if text.count("\n") == text.count("pass") + text.count("\n    def f")
    ]
    expected = ruff([_dedented(text) for text in logical], 88)
    got = ["\n".join([wrap(line) for line in text.split("\n")]) for text in logical]
    wrong = [pair for pair in zip(got, expected, strict=True) if pair[0] != pair[1]]
    assert not wrong, f"{len(wrong)} of {len(got)}\n-- got\n{wrong[0][0]}\n-- ruff\n{wrong[0][1]}"
    assert (
        sum(
            text.count("\n") < want.count("\n")
            for text, want in zip(logical, expected, strict=True)
        )
        > 1500
    )


LONG = "a_long_name, " * 8


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x = 1",
        f"    # {LONG}",
        f"x = [{LONG}",
        f"for {LONG}:",
        f"from {LONG}",
        f"def f {LONG}:",
    ],
)
def test_short_lines_comments_and_fragments_come_back_unchanged(line: str) -> None:
    assert wrap(line) == line


def test_the_width_is_a_parameter() -> None:
    assert wrap("value = f(first, second)", 20) == "value = f(\n    first, second\n)"


def test_names_that_begin_like_keywords_are_names() -> None:
    line = "lambda_value = lambda_function(" + "argument_number_one, " * 3 + "lambda_argument)"
    assert wrap(line).startswith("lambda_value = lambda_function(\n    argument_number_one, arg")
