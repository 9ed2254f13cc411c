"""Trained pipelines for use and not for training: target-only, or the encoder alone as a `tok2vec`."""

import json
import warnings
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any, cast

from spacy.language import Language
from spacy.pipeline import Tok2Vec

from ..errors import Errors, Warnings
from ..features.word_vectors import load_vectors
from ..models.datnet import network_of
from ..models.datnet_encoder import load_encoder
from .base import DATNetPipe

CONFIG, META = "config.cfg", "meta.json"
# what else lies in the folder of a pipeline, beside a file or folder for each component
PARTS = {CONFIG, META, "tokenizer", "vocab", "accuracy.json", "README.md", "LICENSE", "LICENSES_SOURCES"}
MOST_NAMES = 5
ENCODER = "tok2vec"
WORD_VECTORS = "spacy-datnet.WordVectors.v1"
SENTENCIZER = "sentencizer"
BORDERS = {"token.is_sent_start", "doc.sents"}
CONTEXTUAL_VECTORS = "spacy-datnet.ContextualVectors.v1"
COMPUTE_FEATURES = {"@callbacks": "spacy-datnet.compute_features.v1"}
# settings of layers that name files of the training
FILES = {
    "spacy-datnet.FrozenTransformer.v1": {"cache": None},
    CONTEXTUAL_VECTORS: {"corpora": None, "arrays": None},
}
# a packaged pipeline is not given the extras of this package
NEED_TRANSFORMERS = ("spacy-datnet.FrozenTransformer.v1",)
TRANSFORMERS = "transformers>=4.40"


def keep_target_only(nlp: Language) -> list[str]:
    """Remove from a pipeline all that only training with a source needs; predictions stay the same.

    Gone are the source's word features, private encoder and decoder, the resource discriminator, and from the config
    the files that only training needs. A frozen transformer stays, and what it needs is named for `spacy package`.

    nlp (Language): The pipeline, changed in place.
    RETURNS (List[str]): The names of the components that were changed.
    """
    pipes = [(name, pipe) for name, pipe in nlp.components if isinstance(pipe, DATNetPipe)]
    if not pipes:
        raise ValueError(Errors.DN016.format(pipes=", ".join(nlp.pipe_names) or "none"))
    refuse_files_alone(nlp, nlp.component_names)
    for name, pipe in pipes:
        pipe.drop_source()
        # the config that is saved must describe the model that is saved
        config = nlp.get_pipe_config(name)
        config["model"]["source_tok2vec"] = config["source_annotation"] = None
    carry_vectors(nlp)
    forget_files(nlp)
    return [name for name, _ in pipes]


def keep_encoder_only(nlp: Language, name: str) -> Language:
    """Make a pipeline with one component, a `tok2vec` that gives what the decoder of a trained component sees.

    It holds the word features, the character encoder and the target's encoders; no source, decoder or discriminator.
    If the component listens to another one, the word features are a copy of what it listens to.

    nlp (Language): The trained pipeline; listeners of the component are replaced in place.
    name (str): The component. Raises DN025 if it is none of this package, DN015 if it is not trained.
    RETURNS (Language): The new pipeline, with the vocabulary of the trained one.
    """
    known = {other: pipe for other, pipe in nlp.components if isinstance(pipe, DATNetPipe)}
    if name not in known:
        raise ValueError(Errors.DN025.format(name=name, known=", ".join(known) or "none"))
    pipe = known[name]
    pipe.check_initialized()
    heard = [other for other, component in nlp.pipeline if name in getattr(component, "listening_components", ())]
    refuse_files_alone(nlp, [name, *heard])
    for upstream in heard:
        nlp.replace_listeners(upstream, name, ["model.tok2vec"])
    config = nlp.config.interpolate()  # the new pipeline has none of the variables
    trained = config["components"][name]["model"]
    settings = {
        "@architectures": "spacy-datnet.DATNetEncoder.v1",
        "private": trained["transfer"] == "part",
        "width": network_of(pipe.model).width,
        **{part: trained[part] for part in ("tok2vec", "characters", "encoder")},
    }
    encoder = type(nlp).from_config({"nlp": {**config["nlp"], "pipeline": []}}, vocab=nlp.vocab)
    tok2vec = cast(Tok2Vec, encoder.add_pipe("tok2vec", name=ENCODER, config={"model": settings}))
    load_encoder(tok2vec.model, pipe.model)
    carry_vectors(encoder)
    forget_files(encoder)
    return encoder


def set_sentence_borders(nlp: Language) -> str | None:
    """Let a pipeline find sentences before its components of this package read them: paragraphs cost them much.

    nlp (Language): The pipeline, changed in place if nothing in it sets sentence borders: it gets a sentencizer.
    RETURNS (Optional[str]): The component that sets them; None if one does, but too late for a component of this
        package.
    """
    setting = [name for name, _ in nlp.pipeline if BORDERS.intersection(nlp.get_pipe_meta(name).assigns)]
    if setting:
        ours = {name for name, pipe in nlp.pipeline if isinstance(pipe, DATNetPipe)}
        before = nlp.pipe_names[: nlp.pipe_names.index(setting[0])]
        return None if ours.intersection(before) else setting[0]
    nlp.add_pipe(SENTENCIZER, first=True)
    # further training is not to be judged by what is never trained
    nlp.config["training"]["score_weights"] |= dict.fromkeys(nlp.get_pipe_meta(SENTENCIZER).scores)
    return SENTENCIZER


def check_place(output: Path, model: str | None = None, *, force: bool = False) -> Path:
    """Raise an error if writing a pipeline would remove anything but the folder of another one.

    output (Path): The folder to write. A link is followed.
    model (Optional[str]): The pipeline that is read. Defaults to none.
    force (bool): Whether a pipeline may be replaced. Defaults to False.
    RETURNS (Path): Where to write.
    """
    place = output.resolve()
    for inside in (Path.cwd(), Path(model or ".")):
        if inside.resolve().is_relative_to(place):
            raise ValueError(Errors.DN404.format(path=output, inside=inside))
    if not place.exists():
        return place
    if not force:
        raise ValueError(Errors.DN405.format(path=output))
    names = sorted(path.name for path in place.iterdir()) if place.is_dir() else []
    try:
        known = PARTS.union(json.loads((place / META).read_text(encoding="utf8"))["components"])
    except (OSError, ValueError, LookupError, TypeError):
        known = set()
    others = [name for name in names if not known.intersection([name, Path(name).stem])]
    if others or CONFIG not in names:
        raise ValueError(Errors.DN406.format(path=output, others=", ".join(others[:MOST_NAMES]) or "no pipeline"))
    return place


def refuse_files_alone(nlp: Language, names: Iterable[str]) -> None:
    """Raise an error if what components predict from is in files only, which are not part of a pipeline."""
    for name in names:
        config: dict[str, Any] = nlp.get_pipe_config(name)
        if isinstance(nlp.get_pipe(name), DATNetPipe):  # the source's features end with the training
            config = {**config, "model": {**config["model"], "source_tok2vec": None}}
        if any(block.get("encoder") is None for block in _blocks(config, {CONTEXTUAL_VECTORS})):
            raise ValueError(Errors.DN046.format(name=name))


def carry_vectors(nlp: Language) -> None:
    """Make word vectors that components look up elsewhere the pipeline's own, or warn that they stay where they are."""
    config = nlp.config.interpolate()["components"]
    for name in nlp.component_names:
        blocks = (_blocks(of_component, {WORD_VECTORS}) for of_component in (nlp.get_pipe_config(name), config[name]))
        for block, interpolated in zip(*blocks, strict=True):
            if (path := interpolated.get("vectors")) is None:
                continue
            theirs, mine = load_vectors(path), nlp.vocab.vectors
            if mine.n_keys == 0:
                nlp.vocab.vectors = theirs
            elif mine.key2row != theirs.key2row or mine.shape != theirs.shape or (mine.data != theirs.data).any():
                warnings.warn(Warnings.DN076.format(name=name, path=path), stacklevel=2)
                continue
            block["vectors"] = None


def forget_files(nlp: Language) -> None:
    """Take the files that only training needs out of a pipeline's config, and name what `spacy package` can't know."""
    if nlp.config["initialize"].get("after_init") == COMPUTE_FEATURES:
        nlp.config["initialize"]["after_init"] = None
    for name in nlp.component_names:
        for block in _blocks(nlp.get_pipe_config(name), FILES):
            block |= FILES[block["@architectures"]]
            if block["@architectures"] in NEED_TRANSFORMERS:
                nlp.meta["requirements"] = sorted({*nlp.meta.get("requirements", []), TRANSFORMERS})


def _blocks(config: dict[str, Any], architectures: Container[str]) -> list[dict[str, Any]]:
    """Find the blocks of a component's config that build one of some architectures."""
    found = [config] if config.get("@architectures") in architectures else []
    for value in config.values():
        if isinstance(value, dict):
            found += _blocks(value, architectures)
    return found
