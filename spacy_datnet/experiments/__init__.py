"""Experiments: many trainings of a grid, their manifest, and what it says."""

from ._problems import ExperimentError as ExperimentError
from ._problems import explaining as explaining
