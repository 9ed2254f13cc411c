"""The encoder of a trained component as a pipeline of its own, to be sourced into others."""

from spacy.language import Language

from ..errors import Errors
from ..models.datnet_encoder import load_encoder
from .base import DATNetPipe
from .target_only import forget_files, refuse_files_alone

NAME = "tok2vec"


def keep_encoder_only(nlp: Language, name: str) -> Language:
    """Make a pipeline with one component, a `tok2vec` that gives what the decoder of a trained component sees.

    It holds the word features, the character encoder and the target's encoders; no source, decoder or discriminator.
    If the component listens to another one, the word features are a copy of what it listens to.

    nlp (Language): The trained pipeline; listeners of the component are replaced in place.
    name (str): The component. Raises DN025 if it is none of this package, DN015 if it is not trained.
    RETURNS (Language): The new pipeline, with the vocabulary of the trained one.
    """
    known = [other for other, pipe in nlp.components if isinstance(pipe, DATNetPipe)]
    if name not in known:
        raise ValueError(Errors.DN025.format(name=name, known=", ".join(known) or "none"))
    pipe = nlp.get_pipe(name)
    if not pipe.model.shims[0].is_built:
        raise ValueError(Errors.DN015.format(name=name))
    heard = [other for other, component in nlp.pipeline if name in getattr(component, "listening_components", ())]
    refuse_files_alone(nlp, [name, *heard])
    for upstream in heard:
        nlp.replace_listeners(upstream, name, ["model.tok2vec"])
    config = nlp.config.interpolate()  # the new pipeline has none of the variables
    settings = config["components"][name]["model"]
    settings = {
        "@architectures": "spacy-datnet.DATNetEncoder.v1",
        "private": settings["transfer"] == "part",
        "width": pipe.model.shims[0].network.width,
        **{part: settings[part] for part in ("tok2vec", "characters", "encoder")},
    }
    encoder = type(nlp).from_config({"nlp": {**config["nlp"], "pipeline": []}}, vocab=nlp.vocab)
    load_encoder(encoder.add_pipe("tok2vec", name=NAME, config={"model": settings}).model, pipe.model)
    forget_files(encoder)
    return encoder
