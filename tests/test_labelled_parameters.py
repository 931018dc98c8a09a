"""Of each labelled trace, what a person who knows the problem expects is said, and what would be wrong is not."""

from __future__ import annotations

import re

import pytest

from tests.traces.parameters import TRACES


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_what_is_said_of_a_trace(trace) -> None:
    texts = [fact.text for fact in trace.make().facts]
    for pattern in trace.says:
        assert any(re.search(pattern, text) for text in texts), (pattern, texts)
    for pattern in trace.never:
        assert not [text for text in texts if re.search(pattern, text)], pattern
