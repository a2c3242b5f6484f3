"""One function per figure; each returns a matplotlib Figure and touches nothing global."""

from bayesmix.figures.comparison import comparison_figure as comparison_figure
from bayesmix.figures.extrapolation import extrapolation_figure as extrapolation_figure
from bayesmix.figures.fit import fit_figure as fit_figure
from bayesmix.figures.gain import gain_figure as gain_figure
from bayesmix.figures.mixture import mixture_figure as mixture_figure
from bayesmix.figures.quantities import prior_posterior_figure as prior_posterior_figure
from bayesmix.figures.scaling import has_scale as has_scale
from bayesmix.figures.scaling import scaling_figure as scaling_figure
