"""From a model and its runs to a posterior: mode, whitening, NUTS, diagnostics."""

from bayesmix.inference.fit import fit as fit
from bayesmix.inference.many import fit_many as fit_many
