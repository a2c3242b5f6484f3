"""Planning: questions that a law answers once it is fitted, each draw by itself, so that answers have intervals.

`best_setting`: which learning rate, sparsity, precision, ... is best. `needed`: how many tokens reach a loss.
`inference_optimal`: which N is cheapest to train *and* serve. `worth_of_repeats`: what repeated tokens are worth in
fresh ones. `worth_of_teacher`: whether to distil. Beside them, `bayesmix.compute_optimal` splits a training budget
between N and D.
"""

from bayesmix.planning.along import best_setting as best_setting
from bayesmix.planning.along import needed as needed
from bayesmix.planning.along import settings as settings
from bayesmix.planning.answer import Answer as Answer
from bayesmix.planning.repeats import worth_of_repeats as worth_of_repeats
from bayesmix.planning.serving import inference_optimal as inference_optimal
from bayesmix.planning.teaching import worth_of_teacher as worth_of_teacher
