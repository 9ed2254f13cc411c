"""Annotation of a reference doc on the tokens of the predicted doc."""

import numpy as np
from spacy.attrs import ORTH
from spacy.training import Example


def have_same_tokens(example: Example) -> bool:
    """Tell whether the docs of an example are tokenized alike, so that nothing needs to be aligned."""
    return np.array_equal(example.reference.to_array(ORTH), example.predicted.to_array(ORTH))


def align_outside(example: Example, outside: np.ndarray, *, is_annotated: bool) -> np.ndarray:
    """Tell which tokens of the predicted doc are outside of spans: those that only meet reference tokens which are.

    outside (ndarray): (reference tokens,) bool.
    is_annotated (bool): Whether white space that the reference does not have is outside, too.
    RETURNS (ndarray): (predicted tokens,) bool.
    """
    aligned = example.alignment.x2y
    return np.array(
        [outside[aligned[i]].all() if length else is_annotated for i, length in enumerate(aligned.lengths)], dtype=bool
    )
