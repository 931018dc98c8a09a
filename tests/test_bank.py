"""Kinds of facts and the bank fit: no form lacks a slot, no slot is without a form, all facts can be said."""

from __future__ import annotations

import re

import pytest

from tests.test_wordings import RUNS
from xinv_nb.facts.diagnosis.finding import PART
from xinv_nb.facts.diagnosis.kind import FindingKind
from xinv_nb.facts.diagnosis.kinds import all_finding_kinds
from xinv_nb.facts.kind import Kind
from xinv_nb.facts.kinds import all_kinds
from xinv_nb.language.bank import bank_of
from xinv_nb.language.renderer import COUNTED, LOSS, WHOLE, fill, names_in
from xinv_nb.language.slots import (
    Asked,
    Clause,
    Count,
    Iteration,
    Listed,
    LossNamed,
    Named,
    Said,
    Share,
    Slot,
    SolverIterations,
    Uncertain,
    Value,
    Way,
    Word,
    named_in,
)
from xinv_nb.words import beneath, headline_facts, headlines
from xinv_nb.words.queries.kinds import all_query_kinds

KINDS: dict[str, Kind] = {kind.name: kind for kind in [*all_kinds(), headline_facts.KIND, beneath.KIND]}
FINDINGS: dict[str, FindingKind] = {kind.name: kind for kind in all_finding_kinds()}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def forms_of(kind: Kind) -> set[str]:
    return {form for of, form in bank_of().own if of == (kind.wordings or kind.name)}


def templates_of(kind: str) -> list[str]:
    """All sentences of a kind, also those together with another."""
    own = [sentence for (of, _), sentence in bank_of().own.items() if of == kind]
    entries = (entry for found in bank_of().entries.values() for entry in found if kind in entry.kinds)
    return own + [wording.template for entry in entries for wording in entry.wordings]


@every_kind
def test_a_form_has_all_its_slots(kind: Kind) -> None:
    of = kind.wordings or kind.name
    assert forms_of(kind)
    for form in forms_of(kind):
        assert set(names_in(bank_of().own[of, form])) <= set(kind.slots), form
    for (kinds, forms), entries in bank_of().entries.items():
        for entry in entries if kinds == (of,) else ():
            for wording in entry.wordings:
                assert set(names_in(wording.template)) <= set(kind.slots), (forms, wording.template)


@every_kind
def test_a_slot_is_said_by_a_form(kind: Kind) -> None:
    said = {name for template in templates_of(kind.wordings or kind.name) for name in names_in(template)}
    assert set(kind.slots) <= said | {"did", "did2"}


def test_two_facts_in_one_sentence_have_all_its_slots() -> None:
    parts = {"main": "movement"}
    for (kinds, forms), entries in bank_of().entries.items():
        if len(kinds) < 2:
            continue
        names = [parts.get(kind, kind) for kind in kinds]
        known = {slot for name in names for slot in KINDS[name].slots} if names != ["clauses"] else set()
        known |= {f"{slot}2" for slot in known} if len(set(names)) < len(names) else set()
        for entry in entries if len(kinds) > 1 else ():
            for form, kind in zip(forms, names, strict=True):
                assert (kind, form) in bank_of().own, "a form that there is not"
            for wording in entry.wordings:
                assert set(names_in(wording.template)) <= known, wording.template


def said_by(slot: Slot) -> list[tuple[str, str]]:
    """The parts of sentences in a slot."""
    if isinstance(slot, Clause):
        return [(slot.kind, slot.form), *(found for inner in slot.slots.values() for found in said_by(inner))]
    return [found for item in slot.items for found in said_by(item)] if isinstance(slot, Listed) else []


@pytest.mark.parametrize("make", RUNS.values(), ids=RUNS)
def test_every_fact_is_of_a_declared_form_with_slots_of_the_declared_types(make) -> None:
    for fact in make().facts:
        kind = KINDS[fact.kind]
        assert fact.form in forms_of(kind)
        for name, slot in fact.slots.items():
            assert isinstance(slot, kind.slots[name] if name not in (WHOLE, COUNTED) else Word), (fact.kind, name)
            assert set(said_by(slot)) <= set(bank_of().own)
        assert "{" not in fact.text
        assert "[" not in fact.text.replace("theta[", "").replace("x[", "").replace("p[", "") or "]" in fact.text


SAMPLES: dict[type[Slot], Slot] = {
    Value: Value(1.5, "m"),
    Uncertain: Uncertain(0.5234, 0.031, "m"),
    Count: Count(2),
    Iteration: Iteration(3),
    SolverIterations: SolverIterations(21),
    Share: Share(0.25),
    Way: Way(1.0),
    Named: Named("x", "travel time"),
    Asked: Asked("travel time", 1.0),
    Word: Word("lower"),
    Said: Said("so it was said"),
    Listed: Listed((Said("one"), Said("two"))),
    Clause: Clause("the run ended", {}),
}


def sample(kind: type[Slot] | tuple[type[Slot], ...]) -> Slot:
    return SAMPLES[kind[0] if isinstance(kind, tuple) else kind]


@every_kind
def test_every_wording_can_be_said_also_of_forms_that_no_run_has(kind: Kind) -> None:
    effort = LossNamed("effort", "kJ", "easier", "harder")
    slots = {name: sample(type_) for name, type_ in kind.slots.items()}
    slots |= {f"{name}2": slot for name, slot in slots.items()}
    for (kinds, _), entries in bank_of().entries.items():
        for entry in entries if set(kinds) == {kind.wordings or kind.name} else ():
            for wording in entry.wordings:
                text = fill(wording.template, slots)
                assert text.endswith(".") or {"{story}", "{Said}"} & set(re.findall(r"{\w+}", wording.template))
                assert not set("{}[]<>\\") & set(text), text
                named = fill(wording.template, named_in(slots, effort) | {LOSS: effort})
                assert not re.search(r"\bloss\b|\bthe effort\b", named), named


@pytest.mark.parametrize("kind", FINDINGS.values(), ids=FINDINGS)
def test_a_finding_has_a_sentence_and_an_advice_for_each_form_and_all_their_slots(kind: FindingKind) -> None:
    own = {form: sentence for (of, form), sentence in bank_of().own.items() if of == PART.format(kind.name)}
    forms = [form for form in own if not form.endswith("advice")]
    assert forms
    assert "advice" in own or all(f"{form}, advice" in own for form in forms)
    assert {name for sentence in own.values() for name in names_in(sentence)} == set(kind.slots)
    for name in kind.silences:
        silenced, _, form = name.partition(": ")
        assert silenced in FINDINGS or any(of.startswith(form) for of in forms_of(KINDS[silenced])), name


def test_every_part_of_the_bank_is_of_a_kind_that_there_is() -> None:
    parts = {of for of, _ in bank_of().own}
    known = {kind.wordings or kind.name for kind in KINDS.values()} | {PART.format(name) for name in FINDINGS}
    answers = {query.kind.name for query in all_query_kinds().values()}
    assert parts <= known | answers | {"clauses", "main", headlines.OF_A_FINDING}
