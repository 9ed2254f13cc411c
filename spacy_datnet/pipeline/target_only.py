"""Make a trained pipeline target-only, for use and not for training."""

from spacy.language import Language

from ..errors import Errors
from .base import DATNetPipe


def keep_target_only(nlp: Language) -> list[str]:
    """Remove from a pipeline all that only training with a source needs; predictions stay the same.

    Gone are the source's word features, private encoder and decoder, and the resource discriminator.

    nlp (Language): The pipeline, changed in place.
    RETURNS (List[str]): The names of the components that were changed.
    """
    pipes = [(name, pipe) for name, pipe in nlp.components if isinstance(pipe, DATNetPipe)]
    if not pipes:
        raise ValueError(Errors.DN016.format(pipes=", ".join(nlp.pipe_names) or "none"))
    for name, pipe in pipes:
        pipe.drop_source()
        # the config that is saved must describe the model that is saved
        nlp._pipe_configs[name]["model"]["source_tok2vec"] = None
        nlp._pipe_configs[name]["source_annotation"] = None
    return [name for name, _ in pipes]
