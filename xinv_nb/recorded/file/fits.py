"""Reads what a file holds of fits to data: the Jacobians of residuals, and the groups of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xinv_nb.recorded.columns import GrowingColumn
from xinv_nb.recorded.data import DataColumns
from xinv_nb.recorded.file.values import of_kind, position, texts
from xinv_nb.recorded.history import History

Columns = Mapping[str, NDArray[Any]]


def read_jacobians(columns: Columns, history: History) -> None:
    """Fill in the Jacobians; raises where they are not those of the residuals."""
    if (jacobians := columns.get("jacobians")) is None:
        return
    evaluations = [position(e, len(history)) for e in columns["jacobian_evaluation"].tolist()]
    if evaluations != sorted(set(evaluations)) or jacobians.dtype != float or len(jacobians) != len(evaluations):
        raise ValueError("Jacobians of other evaluations")
    for evaluation, jacobian in zip(evaluations, jacobians, strict=True):
        if not history.keep_jacobian(evaluation, jacobian):
            raise ValueError("a Jacobian of another shape")


def read_data(saved: Sequence[Any], columns: Columns, history: History) -> None:
    """Fill in the groups of data; raises where they do not fit the evaluations, or each other."""
    for i, group in enumerate(saved):
        name, labels = of_kind(str, of_kind(dict, group)["name"]), texts(group["labels"])
        residuals, sigma = columns[f"data{i}_residuals"], columns.get(f"data{i}_sigma")
        if residuals.dtype != float or residuals.ndim != 2 or len(residuals) != len(history.values):
            raise ValueError("residuals of another shape")
        count = residuals.shape[1]
        if len(labels) not in (0, count) or (sigma is not None and (sigma.dtype != float or sigma.shape != (count,))):
            raise ValueError("what is told of other data points")
        if sigma is not None and not ((sigma > 0) & np.isfinite(sigma)).all():
            raise ValueError("a standard deviation that is none")
        history.data[name] = DataColumns(count, 0, sigma, labels)
        history.data[name].residuals = GrowingColumn.of(residuals)
