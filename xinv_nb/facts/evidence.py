"""What kinds of facts are computed from: one recording, with what several of them look at, found once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from xinv_nb.facts.estimates import Estimate, Why, estimate_of
from xinv_nb.facts.fact import Fact, Phase
from xinv_nb.facts.measures.drawn import are_losses_drawn, are_steps_drawn
from xinv_nb.facts.measures.events import EventGroup, event_groups
from xinv_nb.facts.measures.fitted import Fitted, fitted
from xinv_nb.facts.measures.held import Held, held_by_program
from xinv_nb.facts.measures.held_at_end import Mask, held_at_end
from xinv_nb.facts.measures.iterates import Floats, Iterates, iterates_of
from xinv_nb.facts.measures.left import Decrement, Path, decrement, known_path
from xinv_nb.facts.measures.opposition import Pair, opposed_pairs
from xinv_nb.facts.measures.path import FollowedPath
from xinv_nb.facts.measures.players import Players, players_of
from xinv_nb.facts.measures.promises import Ways, ways_of_iterates, ways_of_trials
from xinv_nb.facts.measures.recorded_path import Unknown, path_of
from xinv_nb.facts.measures.rounding import grain
from xinv_nb.facts.measures.sampling import Wandering, wandering
from xinv_nb.facts.measures.scatter import Scatter, scatter_of
from xinv_nb.facts.measures.uphill import Uphill, uphill
from xinv_nb.facts.measures.watched import Curve, curves, followed
from xinv_nb.facts.story import Parts
from xinv_nb.recorded.events import Event
from xinv_nb.recorded.run import RecordedRun
from xinv_nb.recorded.watch import Watch

if TYPE_CHECKING:
    from xinv_nb.facts.diagnosis.finding import Finding

_MOST_PARAMETERS = 100
"""Parameters up to which standard errors are among the facts: of more they take long, and are for `run.uncertainty`."""


class Evidence:
    """One recording, its phases, and the facts that were found so far."""

    def __init__(self, run: RecordedRun, phases: Sequence[Phase], parts: Parts | None = None) -> None:
        self.run, self.phases = run, phases
        self.parts = parts
        """The fits of the recording, for the kinds that are about all of them."""
        self.story: Evidence = self
        """Of the evidence of all fits: that of the one that is shown, which counts its evaluations from 0."""
        self.found: list[Fact] = []
        self.findings: Sequence[Finding] = ()
        """What is wrong with the run, once that is known: for the fact that tells of it."""

    @property
    def last(self) -> int:
        """The number of the last evaluation; −1 where there is none."""
        return self.run.evaluations - 1

    @property
    def whole(self) -> tuple[int, int]:
        """The first evaluation, and the last that means anything: the last of all, unless the loss broke for good."""
        rows = self.run.iterates
        is_cut = bool(len(rows)) and self.iterates.rows[-1] < rows[-1]
        return 0, int(self.iterates.rows[-1]) if is_cut else self.last

    @cached_property
    def iterates(self) -> Iterates:
        """The accepted iterates, with a track for each entry of the parameters."""
        return iterates_of(self.run)

    @cached_property
    def watches(self) -> Mapping[str, Watch]:
        """The watched quantities by name."""
        return self.run.watches

    @cached_property
    def curves(self) -> list[Curve]:
        """The watched quantities that are one real number at a time, also those watched now and then."""
        return curves(self.watches)

    @cached_property
    def followed(self) -> list[tuple[Watch, Floats]]:
        """The watched quantities that are one real number in every evaluation, with these numbers."""
        return followed(self.curves, self.run.evaluations)

    @cached_property
    def followed_path(self) -> FollowedPath | Unknown:
        """The accepted iterates as a path, with the watched quantities whose gradients are known along it."""
        return path_of(self.run)

    @cached_property
    def event_groups(self) -> list[EventGroup]:
        """What happened in the simulation, the most frequent first."""
        return event_groups(self.run)

    @cached_property
    def estimate(self) -> Estimate | Why:
        """The end of a least-squares fit where standard errors may be told of it, or why they may not."""
        if self.run.history.width > _MOST_PARAMETERS:
            return Why("none, many")
        return estimate_of(self.run, self.end_of_fit)

    @cached_property
    def end_of_fit(self) -> Fitted | str:
        """The best accepted evaluation of a least-squares fit, or in a word why there is none."""
        return fitted(self.run)

    @cached_property
    def tape_events(self) -> list[Event]:
        """What looks at the tape of the objective found."""
        if not self.run.evaluations:
            return []
        return [event for event in self.run.events_as_recorded() if event.kind == "tape"]

    @cached_property
    def opposed_pairs(self) -> list[Pair]:
        """The pairs of terms of the loss that pulled most against each other."""
        return opposed_pairs(self.run, self.iterates)

    @cached_property
    def wandering(self) -> Wandering | None:
        """How the points wander where nothing of the steps draws the loss down; None where it is minimized."""
        return wandering(self.run)

    @property
    def downhill_share(self) -> float | None:
        """The share of steps down the slope where the run draws samples instead of minimizing; None elsewhere."""
        found = self.wandering
        return found.downhill if found is not None and found.is_sampling else None

    @cached_property
    def uphill(self) -> Uphill:
        """Whether the run goes up its gradient, because its loss is maximized, and to which end; empty elsewhere."""
        return "" if self.downhill_share is not None or self.players is not None else uphill(self.run, self.iterates)

    @property
    def is_maximized(self) -> bool:
        """Whether the loss is maximized, and goes to where it is largest."""
        return self.uphill in ("reached", "rising")

    @cached_property
    def players(self) -> Players | None:
        """Who plays, where objectives move each other or one loss is lowered by some and raised by others."""
        return players_of(self.run, self.iterates)

    @cached_property
    def is_minimized(self) -> bool:
        """Whether the steps are those of one minimization: no samples are drawn, and nobody plays against it."""
        return self.downhill_share is None and self.players is None

    @cached_property
    def ways(self) -> Ways | None:
        """The ways from iterate to iterate of a minimization, with what the gradients promise of each, if known."""
        return ways_of_iterates(self.run) if self.is_minimized else None

    @cached_property
    def trials(self) -> Ways | None:
        """The ways from each iterate to what was tried from there, the next iterate among it; None as for `ways`."""
        return ways_of_trials(self.run, self.ways) if self.is_minimized else None

    @cached_property
    def scatter(self) -> Scatter | None:
        """By how much evaluations scatter that an optimizer compared, which is not made for that."""
        return scatter_of(self.run, self.trials) if self.is_minimized else None

    @cached_property
    def held(self) -> list[Held]:
        """The parameters that a loop of the program holds at a limit, as by `numpy.clip`."""
        return held_by_program(self.run) if self.is_minimized else []

    @cached_property
    def grain(self) -> float:
        """What the losses were rounded to, because larger numbers are within them; 0 where they were not."""
        return grain(self.run)

    @cached_property
    def bowl(self) -> Decrement | None:
        """What a Newton step promises at the end, where the path lets the curvature be known."""
        return None if self.path is None else decrement(self.path)

    @cached_property
    def path(self) -> Path | None:
        """Points, gradients and losses of the iterates, where all are known."""
        return known_path(self.run, self.iterates)

    @cached_property
    def held_at_end(self) -> Mask:
        """Which parameters constraints, bounds or the program itself keep from going where the loss is lower."""
        return held_at_end(self.run, self.iterates)

    @cached_property
    def are_losses_drawn(self) -> bool:
        """Whether the losses are known to be of other draws each time, so that the lowest of them is a lucky one."""
        return are_losses_drawn(self.ways)

    @cached_property
    def are_steps_drawn(self) -> bool:
        """Whether the steps of a minimization are drawn in part."""
        return self.is_minimized and not self.are_losses_drawn and are_steps_drawn(self.run)

    @property
    def is_drawn(self) -> bool:
        """Whether losses or steps are drawn, so that ups and downs are no swings."""
        return self.are_losses_drawn or self.are_steps_drawn

    @property
    def is_noisy(self) -> bool:
        """Whether single losses are draws from a noise, in any phase."""
        return self.are_losses_drawn or any(phase.noisy for phase in self.phases)

    def of(self, *kinds: str) -> list[Fact]:
        """Return the facts of some kinds that were found so far: those of lower ranks."""
        return [fact for fact in self.found if fact.kind in kinds]

    def add(self, facts: Iterable[Fact]) -> None:
        """Add facts; each gets an id by which others may cite it."""
        for fact in facts:
            self.found.append(replace(fact, id=f"F{len(self.found) + 1}"))
