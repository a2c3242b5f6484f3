"""Whether a student is better off with a teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bayesmix.errors import BayesmixError, listed
from bayesmix.evaluation import over_draws
from bayesmix.inputs import Inputs, padded
from bayesmix.model import Model
from bayesmix.planning.answer import Answer, inherited
from bayesmix.planning.curves import require_scale, responses
from bayesmix.posterior import Posterior
from bayesmix.runs import Runs

_GIVEN = ("teacher", "supervised")
TEACHER = "teacher_N"


def worth_of_teacher(distilled: Posterior, supervised: Posterior, planned: Runs) -> Answer:
    r"""Find what students gain by a teacher over spending its compute on more tokens.

    $$g = L(N, D') - L_S\big(N, D, L_T, L(N, D)\big),\qquad 6 N D' = 6 N D + 2 N_T D$$

    with L the loss without a teacher, L_S that of the student, and 2 N_T D the compute with which a teacher of N_T
    parameters reads the student's tokens. Draws of both posteriors are paired.

    Parameters
    ----------
    distilled : Posterior
        Of a law of distilled students, such as busbridge_distill, for one target.
    supervised : Posterior
        Of a law in N and D, such as chinchilla or skaling, for the same target.
    planned : Runs
        N and D of each student, and labels: ``teacher``, the teacher's loss, ``teacher_N``, its parameters, and those
        that a model pools over. Without ``teacher_N`` the teacher is free, as where what it says of the tokens is
        stored already.

    Returns
    -------
    Answer
        One case a student, numbered where some share a name: ``distilled`` and ``supervised`` loss at equal compute,
        and ``gain``, above 0 where the teacher is worth it.

    Raises
    ------
    BayesmixError
        The laws are others, or their targets differ.
    NotConvergedError
        A posterior has not converged.

    Sources: Busbridge et al. (2025), Distillation Scaling Laws, section 5, of which this is the case of a teacher that
    exists already.
    """
    for posterior in (distilled, supervised):
        posterior.require_converged()
    _check(distilled, supervised)
    N, D = planned.column("N"), planned.column("D")
    longer = D * (1 + (planned.column(TEACHER) if TEACHER in planned.table else 0.0) / (3 * N))
    names = _apart(planned.names)
    # Without their teachers, students of one name may be alike, and are told apart by theirs.
    kept = planned.table[[c for c in planned.table if c in ("N", *supervised.coordinates.levels)]].assign(run=names)
    alone, instead = (Runs.of(kept.assign(D=tokens), planned=True, source=planned.source) for tokens in (D, longer))
    without = responses(supervised, alone)
    columns = {distilled.model.columns["supervised"]: np.median(without[:, :, 0], axis=0)}
    students = Runs.of(planned.table.assign(**columns), planned=True, source=planned.source)
    taught = _taught(distilled, students, without[:, :, 0])
    rival = np.resize(responses(supervised, instead), taught.shape)
    gain = rival - taught
    warnings = [*inherited(distilled, students), *inherited(supervised, instead)]
    for name, share in zip(names, (gain[:, :, 0] > 0).mean(axis=0), strict=True):
        warnings.append(f"{name}: the teacher is worth it with probability {share:.2f}.")
    draws = {"distilled": taught, "supervised": rival, "gain": gain}
    return Answer(draws, names, distilled.targets, tuple(warnings))


def _apart(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of which no two are alike: with the number of their row, if any are."""
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"{name} ({row})" for row, name in enumerate(names, start=1))


def _check(distilled: Posterior, supervised: Posterior) -> None:
    model = distilled.model
    if missing := [c for c in _GIVEN if c not in model.columns]:
        raise BayesmixError(f"law {model.law.name} does not take {listed(missing)}. Use busbridge_distill")
    require_scale(supervised, "without a teacher it is to be")
    if distilled.targets != supervised.targets or len(distilled.targets) != 1:
        raise BayesmixError(
            f"students are fitted to {listed(distilled.targets)}, runs without a teacher to "
            f"{listed(supervised.targets)}: fit both to one target, the same"
        )


def _taught(distilled: Posterior, students: Runs, supervised: np.ndarray) -> np.ndarray:
    """Return the students' loss in every draw, shape (draw, run, target), with the supervised loss of each draw."""
    inputs, _ = distilled.model.inputs(students, distilled.coordinates)
    values = distilled.values()
    count = len(next(iter(values.values())))
    missing = len(padded(inputs).response) - len(students)
    given = np.pad(np.resize(supervised, (count, len(students))), ((0, 0), (0, missing)), mode="edge")
    return over_draws(_student, distilled.model, {**values, "without": given}, inputs)[:, : len(students)]


def _student(model: Model, drawn: Mapping[str, Any], inputs: Inputs) -> Any:
    """Return the students' loss in one draw, whose loss without a teacher is the draw's ``without``."""
    given = {**inputs.covariates, "supervised": drawn["without"]}
    return model.mean(drawn, replace(inputs, covariates=given))
