"""The default config that all components share."""

from typing import Any

from thinc.api import Config

DEFAULT_CONFIG = """
[loss]
@losses = "spacy-datnet.DualAdversarialLoss.v1"

[model]
@architectures = "spacy-datnet.DATNet.v1"
transfer = "full"

[model.tok2vec]
@architectures = "spacy.MultiHashEmbed.v2"
width = 100
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
rows = [5000, 1000, 2500, 2500]
include_static_vectors = false

[model.characters]
@architectures = "spacy-datnet.CharCNN.v1"

[model.encoder]
@architectures = "spacy-datnet.BiLSTM.v1"

[model.decoder]
@architectures = "spacy-datnet.CRF.v1"
"""


def default_config(**settings: Any) -> dict[str, Any]:
    """Make the default config of a component.

    settings: The settings that the component does not share with the others.
    RETURNS (Dict[str, Any]): The config, with `source_annotation`, `confidence`, `loss` and `model`.
    """
    return {**settings, "source_annotation": None, "confidence": True, **Config().from_str(DEFAULT_CONFIG)}
