"""Task: a posterior to be sampled, and the coordinates it is sampled in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bayesmix.inference.funnel import Funnel, inside, none
from bayesmix.inference.mode import Mode
from bayesmix.inference.program import Program
from bayesmix.inputs import Inputs

_HEAVY = 3.0  # nats of Laplace evidence below the best mode, within which one has a twentieth of its weight


@dataclass(frozen=True)
class Task:
    """A posterior to be sampled.

    Parameters
    ----------
    inputs : Inputs
        What it is conditioned on.
    funnel : Funnel, optional
        Coordinates v to sample in; the program's own by default.
    modes : list of Mode
        In those coordinates; chains start around all of them.
    rng : Generator
        Source of its randomness.
    whitening : Mode, optional
        What whitens at first; the first mode by default.
    """

    inputs: Inputs
    funnel: Funnel | None
    modes: list[Mode]
    rng: np.random.Generator
    whitening: Mode | None = None

    @classmethod
    def of(
        cls, program: Program, inputs: Inputs, modes: list[Mode], prior: np.ndarray, rng: np.random.Generator
    ) -> Task:
        """Return the task of a posterior whose modes and draws of whose prior are those, in coordinates u."""
        funnel = None
        if modes and program.noise is not None:
            # What is true around one of several modes misleads elsewhere.
            alone = len(modes) == 1
            funnel = Funnel.of(modes[0].centre, modes[0].scale, prior, program.noise) if alone else none(program.size)
        return cls(inputs, funnel, [m.within(funnel) for m in modes], rng)

    def after(self, u: np.ndarray) -> Task:
        """Return the task that is whitened by what draws of u, shape (chain, draw, coordinate), have shown.

        Chains start there too, unless there are several modes of some weight: one by one they would fall into whichever
        is nearest, and might agree because all of them missed the others.
        """
        fitted = Mode.fitted(inside(self.funnel, u.reshape(-1, u.shape[-1])))
        heavy = [m for m in self.modes if m.evidence > self.modes[0].evidence - _HEAVY]
        return replace(self, whitening=fitted, modes=heavy if len(heavy) > 1 else [fitted])
