"""Dual adversarial transfer for sequence labelling in spaCy."""

from importlib.metadata import version

__version__ = version("spacy-datnet")
