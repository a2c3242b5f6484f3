"""From a model and its runs to a posterior: mode, whitening, NUTS, diagnostics."""

from bayesmix.inference.fit import fit as fit
