import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bayesmix.decision import Decision, Problem, decide
from bayesmix.model import Model
from fakes import fake, mixing_values, mixture_runs


@pytest.fixture(scope="session")
def decided() -> Decision:
    """A decision of three domains, by `decide` itself."""
    module = importlib.import_module("bayesmix.decision.decide")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RANDOM_CANDIDATES", 20)
        patch.setattr(module, "OWN_OPTIMA", 10)
        values = mixing_values([[1.0, -2.0, 1.0], [0.5, 0.5, -1.0]], L0=3.05, sigma=0.05)
        posterior = fake(Model.read("ye_m4"), mixture_runs(), values, spread=0.01)
        problem = Problem({"loss.web": 1}, {"D": 1e12}, {"default": (0.1, 0.7)}, {"web": 0.4, "code": 0.6})
        return decide(posterior, problem, seed=0, draws=40)


@pytest.fixture(scope="session")
def mixing(decided) -> Callable[..., Decision]:
    """Make a decision whose mixture is given; the planned run has 1e12 tokens unless told otherwise."""

    def make(
        mixture: Mapping[str, float],
        planned: Mapping[str, float] | None = None,
        available: Mapping[str, float] | None = None,
        **changes: Any,
    ) -> Decision:
        w = np.array(list(mixture.values()))
        spread = np.array([w, w, np.full(len(w), 1 / len(w))])
        problem = Problem(planned={"D": 1e12} if planned is None else planned, available=available or {})
        return replace(
            decided, domains=tuple(mixture), mixture=w, baseline=spread[2], optima=spread, observed=(0 * w, w),
            near=(w, w),
            problem=problem, **changes,
        )  # fmt: skip

    return make


@pytest.fixture
def put(tmp_path) -> Callable[[str, Any], Path]:
    """Write a file: text as it is, anything else as JSON."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write
