"""Of a labelled trace is said what a person who knows the problem expects, nothing that is wrong, and all is true."""

from __future__ import annotations

import re

import pytest

from tests.recomputed_parameters import RECOMPUTED
from tests.test_facts import assert_facts_are_true
from tests.traces.parameters import TRACES


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_what_is_said_of_a_trace(trace) -> None:
    texts = [fact.text for fact in trace.make().facts]
    for pattern in trace.says:
        assert any(re.search(pattern, text) for text in texts), (pattern, texts)
    for pattern in trace.never:
        assert not [text for text in texts if re.search(pattern, text)], pattern


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_every_number_follows_from_the_recording(trace) -> None:
    assert_facts_are_true(trace.make(), RECOMPUTED)
