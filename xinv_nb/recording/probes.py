"""What a simulator may say about itself: `event`, `watch`, `data`, `stage`. Almost free when nothing is recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from xinv_nb.errors import XinvError, keep_to_itself, told
from xinv_nb.recorded.plain import text_of
from xinv_nb.recording import context
from xinv_nb.recording.evaluation import Evaluation
from xinv_nb.recording.events import WatchedValue, happening, plain_copy, snapshot
from xinv_nb.recording.measured import check, measured

T = TypeVar("T")


def event(text: str, /, at: Any = None, until: str | None = None, **values: Any) -> None:
    """Report something that happened in the simulation, in words of the domain.

    Parameters
    ----------
    text : str
        A format template, such as `"the train slows to {speed:.0f} m/s beside {place}"`; formatted later.
    at : object, optional
        Where in the simulation: a time, a place.
    until : str, optional
        A template of what is said when it no longer happens, such as `"the line leaves the {place}'s reach"`.
    **values
        What the templates name; numbers may be inside a differentiation (boxes of autograd).

    Raises
    ------
    XinvError
        A text is no text.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def height(v):
    ...     xi.event("thrown at {v:.1f} m/s", v=v)
    ...     return v**2 / 19.62
    >>> with xi.record() as run:
    ...     slope = grad(height)(3.0)
    >>> run.events[0].text
    'thrown at 3.0 m/s'
    """
    if not isinstance(text, str):
        raise XinvError(f"xinv_nb.event(text): what happened is told in words, not by a {type(text).__name__}.")
    if until is not None and not isinstance(until, str):
        raise XinvError(f"xinv_nb.event(text, until=…): its end is told in words, not by a {type(until).__name__}.")
    if context.innermost.get() is None or (recording := context.active()) is None:
        return
    try:
        stages = recording.stages
        recording.happened(happening(text, at, values, stages[-1] if stages else "", until or ""))
    except BaseException as error:  # noqa: BLE001 - a probe may not fail the simulation
        keep_to_itself(error)
        recording.notice(f"An event could not be recorded ({told(error)}).")


def watch(value: T, name: str, unit: str = "", at: Any = None) -> T:
    """Follow a quantity inside the simulation: its value in the forward pass, what the gradient asks in the backward.

    In a loop, outside of what is differentiated, its value alone: `xi.watch(validation(w), "validation loss")`. It
    stands beside the latest evaluation; or, where it came before the first, beside the one that comes next.

    Using the return value is optional: the program and its derivatives of any order stay exactly as they were.

    Parameters
    ----------
    value : number or array
        The quantity, as the simulator computed it.
    name : str
        What the domain calls it, such as `"travel time"`.
    unit : str
        Its unit.
    at : object, optional
        Where in the simulation: a time, a place.

    Returns
    -------
    number or array
        `value` itself.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def miss(angle):
    ...     reach = xi.watch(angle * 2, "range", "m")
    ...     return (reach - 10) ** 2
    >>> with xi.record() as run:
    ...     slope = grad(miss)(3.0)
    >>> [event.text for event in run.events][:2]
    ['range is 6 m', 'a higher range would lower the loss']
    """
    if type(name) is not str:
        name = _name(name)
    if not name.strip():
        raise XinvError("xinv_nb.watch(value, name): the name is empty; it is what the quantity is called, as 'speed'.")
    if context.innermost.get() is None:
        return value
    recording = context.active()
    if recording is None:
        return value
    try:
        stage = recording.stages[-1] if recording.stages else ""
        if recording.evaluation is not None:
            _follow(value, name, unit, at, stage, recording.evaluation)
        elif recording.depth == 0:
            plain = plain_copy(value)
            unknown = _filled(plain, np.nan)
            recording.watched(WatchedValue(name, _unit(unit), plain, snapshot(at), stage, unknown))
    except BaseException as error:  # noqa: BLE001 - a probe may not fail the simulation
        keep_to_itself(error)
        if recording.evaluation is None and not recording.passes:
            return value  # of a program that differentiates by boxes of its own, that is what there is to tell
        recording.notice(f"{name!r} could not be watched ({told(error)}).")
    return value


def _follow(value: Any, name: str, unit: str, at: Any, stage: str, evaluation: Evaluation) -> None:
    plain = plain_copy(value)
    where = at if at is None or type(at) is float else snapshot(at)
    watched = WatchedValue(name, unit if type(unit) is str else _unit(unit), plain, where, stage, np.nan)
    # What the loss does not depend on, the backward pass never meets: then 0 stands.
    asked_of = watched.asked_of = evaluation.tap(value, watched.receive)
    unmet = 0.0 if asked_of else np.nan
    watched.cotangent = unmet if isinstance(plain, float) else _filled(plain, unmet)
    evaluation.watched.append(watched)


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise XinvError(
            f"xinv_nb.watch(value, name): the name is text, such as 'speed', not of type {type(name).__name__}."
        )
    return str.__str__(name)


def _unit(unit: Any) -> str:
    return unit if type(unit) is str else "" if unit is None else text_of(unit)


def _filled(like: Any, value: float) -> Any:
    """Return `value` in the shape of `like`."""
    return np.full(like.shape, value) if isinstance(like, np.ndarray) else value


def data(residuals: T, name: str, sigma: Any = None, labels: Sequence[Any] | None = None) -> T:
    """Mark a group of data in the objective: its residuals, the differences between model and data.

    The program and its derivatives of any order stay exactly as they were. Under one name there are the same data
    points in every evaluation; several calls under one name in one pass of autograd are one group. Outside of a pass,
    as before `run.add`, the latest call under a name counts.

    Parameters
    ----------
    residuals : number or array
        As the objective computed them, not yet divided by `sigma`.
    name : str
        What the domain calls the data, such as `"serum"`.
    sigma : float or array, optional
        The known standard deviation of the data points: one for all, or one for each.
    labels : sequence, optional
        A name for each data point, such as the station, the patient or the day.

    Returns
    -------
    number or array
        `residuals` themselves.

    Raises
    ------
    XinvError
        The name is no text, or there are not as many standard deviations or labels as residuals; also where nothing
        is being recorded.

    Examples
    --------
    >>> import autograd.numpy as np
    >>> import xinv_nb as xi
    >>> from autograd import grad
    >>> def misfit(slope):
    ...     return np.sum(xi.data(slope * np.arange(3.0) - 1.0, "heights", labels=["Rome", "Bern", "Oslo"]) ** 2)
    >>> with xi.record() as run:
    ...     slope = grad(misfit)(1.0)
    >>> run.data["heights"].residuals.tolist(), run.data["heights"].labels
    ([[-1.0, 0.0, 1.0]], ('Rome', 'Bern', 'Oslo'))
    """
    check(residuals, name, sigma, labels)
    if context.innermost.get() is None or (recording := context.active()) is None:
        return residuals
    try:
        recording.measured(measured(residuals, name, sigma, labels))
    except BaseException as error:  # noqa: BLE001 - a probe may not fail the simulation
        keep_to_itself(error)
        recording.notice(f"The data {name!r} could not be recorded ({told(error)}).")
    return residuals


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Name a part of the simulation; events and watches inside carry the name.

    Examples
    --------
    >>> import xinv_nb as xi
    >>> with xi.stage("descent"):
    ...     xi.event("the parachute opens")
    """
    recording = context.active()
    if recording is None:
        yield
        return
    recording.stages.append(text_of(name))
    try:
        yield
    finally:
        recording.stages.pop()
