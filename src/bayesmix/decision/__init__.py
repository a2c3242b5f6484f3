"""From posteriors to a mixture: the problem, the risk, the optimum and the evidence for it."""

from bayesmix.decision.decide import decide as decide
from bayesmix.decision.decision import Decision as Decision
from bayesmix.decision.problem import Problem as Problem
from bayesmix.decision.proposal import Proposal as Proposal
from bayesmix.decision.propose import propose as propose
