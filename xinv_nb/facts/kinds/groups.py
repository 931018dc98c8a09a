"""Which group of data earned the fall of the loss.

Method: the change of each group's sum of squares times its weight in the loss, where these add up to it exactly.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xinv_nb.facts.evidence import Evidence
from xinv_nb.facts.fact import Fact
from xinv_nb.facts.kind import Kind, Question
from xinv_nb.facts.kinds import terms
from xinv_nb.facts.measures.groups import groups_of, parts_of_loss
from xinv_nb.language.slots import Iteration, LossValue, Named, Way

_FEWEST, _MOST = 2, 4


def compute(evidence: Evidence) -> Iterator[Fact]:
    """Yield what each group of data did to the loss, from the first accepted evaluation to the last.

    Examples
    --------
    >>> import numpy as np
    >>> import xinv_nb as xi
    >>> with xi.record() as run:
    ...     for x in (4.0, 3.0, 2.0, 1.0, 0.5):
    ...         serum, urine = xi.data(np.array([x, 2 * x]), "serum"), xi.data(np.array([x - 1]), "urine")
    ...         run.add(serum @ serum + urine @ urine, x)
    >>> next(fact.text for fact in run.facts if fact.kind == "groups")
    'Over the run the loss fell by 87.5: serum lowered it by 78.7 and urine lowered it by 8.75.'
    """
    groups = groups_of(evidence.run)
    if not _FEWEST <= len(groups) <= _MOST or evidence.run.status == "running":
        return
    rows = groups[0].evaluations
    loss = evidence.run.loss[rows]
    parts = parts_of_loss(groups, loss, np.real(evidence.run.history.rows(rows)))
    if parts is None:
        return
    total, changes = float(loss[-1] - loss[0]), (parts[:, -1] - parts[:, 0]).tolist()
    told = sorted(zip((Named(g.name, g.name) for g in groups), changes, strict=True), key=lambda pair: pair[1])
    form, slots = terms.said(told)
    first, last = int(rows[0]), int(rows[-1])
    form += ", over the run" if (first, last) == (0, evidence.last) else ", in a stretch"
    slots |= {"first": Iteration(first), "last": Iteration(last), "went": Way(total), "change": LossValue(abs(total))}
    data = {"total": total, "parts": {name.name: change for name, change in told}}
    yield KIND.fact(form, (first, last), 0.75, slots, data=data)


KIND = Kind(
    name="groups",
    question=Question.CREDIT,
    rank=43,
    slots=terms.KIND.slots,
    compute=compute,
    method="the change of each group's sum of squares times its weight in the loss",
    wordings="terms",
)
