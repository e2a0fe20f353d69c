from __future__ import annotations

from collections import Counter

import pytest

from tritongen.alphabet import Alphabet
from tritongen.catalog import catalog
from tritongen.errors import UnknownNameError


def alphabet(
    length=(1, 2), names=("neg", "exp", "log", "relu", "add", "sigmoid", "floor", "lt"), **options
):
    known = catalog()
    ops = [known.tables["pointwise"][name] for name in names]
    return Alphabet(ops, known.domains, length=length, **options)


def words(letters: Alphabet) -> list:
    return [letters.unrank(cls, i) for cls, count in letters.classes for i in range(count)]


def test_counts_agree_with_the_words_and_no_word_comes_twice():
    letters = alphabet((0, 3))
    keys = Counter((chain.kind, chain.text) for chain in words(letters))
    assert sum(count for _, count in letters.classes) == len(keys)
    assert set(keys.values()) == {1}


def test_every_word_has_the_class_it_was_drawn_from():
    letters = alphabet((1, 3))
    for cls, count in letters.classes:
        for index in range(0, count, max(1, count // 7)):
            chain = letters.unrank(cls, index)
            assert chain.length == len(chain.letters) == cls.length
            assert len(chain.tensor_operands) == cls.tensors
            assert len(chain.scalar_operands) == cls.scalars


def test_domains_travel_along_the_chain():
    for chain in words(alphabet((2, 3))):
        domain = chain.letters[0].op.draws[0]
        for letter in chain.letters:
            assert domain.within(letter.op.accepts[0]), chain.text
            domain = letter.op.image_of(domain)


def test_normal_form_has_no_inverse_pair_side_by_side():
    texts = {chain.text for chain in words(alphabet((2, 2)))}
    assert not texts & {"neg > neg", "exp > log", "log > exp", "relu > relu"}
    assert "relu > neg" in texts


def test_discontinuous_ops_come_first_or_not_at_all():
    for chain in words(alphabet((2, 3))):
        assert not any(letter.op.discontinuous for letter in chain.letters[1:]), chain.text


def test_limits_on_operands_hold():
    letters = alphabet((2, 2), tensors=1, scalars=0)
    chains = words(letters)
    assert max(chain.tensors for chain in chains) == 1
    assert not any(chain.scalars for chain in chains)


def test_kinds_are_those_that_every_op_takes():
    for chain in words(alphabet((1, 2), names=("neg", "exp", "bitwise_and"))):
        for letter in chain.letters:
            assert chain.kind in letter.op.dtypes, chain.text


def test_parse_reads_what_text_writes():
    letters = alphabet((1, 2))
    for chain in words(letters)[::5]:
        assert chain.text in {found.text for found in letters.parse(chain.text, "here")}


def test_an_op_name_alone_stands_for_all_its_one_step_words():
    found = {chain.text for chain in alphabet().parse("add", "here")}
    assert {"add(new)", "add(row)", "add(col)", "add(scalar)"} <= found


@pytest.mark.parametrize("text", ["nonsense", "exp > nonsense", "add(everything)"])
def test_an_unknown_step_is_named(text):
    with pytest.raises(UnknownNameError, match="unknown step"):
        alphabet().parse(text, "here")


def test_a_word_that_the_automaton_refuses_is_said_to_be_outside():
    with pytest.raises(UnknownNameError, match="not in the space"):
        alphabet().parse("exp > log", "here")


def test_code_nests_with_parentheses_where_needed():
    chain = alphabet((1, 3)).parse("add(new) > neg > sigmoid", "here")[0]
    assert chain.nested("x") == "torch.sigmoid(-(x + y))"
    assert [step.torch for step in chain.steps("x", "result")][1] == "-result"


def test_a_large_alphabet_counts_in_moments_and_unranks_anywhere():
    known = catalog()
    ops = tuple(known.tables["pointwise"].values())
    letters = Alphabet(ops, known.domains, length=(6, 6), kinds=("float",))
    cls, count = max(letters.classes, key=lambda pair: pair[1])
    assert sum(n for _, n in letters.classes) > 10**10
    for index in (0, count // 3, count - 1):
        assert letters.unrank(cls, index).length == 6
