"""spaCy's own component on both corpora, to compare with: what `spacy init config` makes of it."""

import warnings
from collections.abc import Sequence
from typing import Any

from spacy.cli.init_config import init_config
from thinc.api import Config

from .recipe import Recipe

FILTER = "label_filter"
# at a hundred to a thousand words each, about as many words as the network sees
STEPS, QUICK_STEPS = 2000, 400


def own_config(
    recipe: Recipe, component: str, *, with_source: bool, labels: Sequence[str] = (), quick: bool = False
) -> Config:
    """Configure spaCy's own component as one would without this package: both corpora as one, batches and rates of
    `spacy init config`.

    recipe (Recipe): The settings of the network's config; of these it has the language, the paths, whether there are
        word vectors and a dev set, and what is scored.
    component (str): "ner", "tagger" or "morphologizer".
    with_source (bool): Whether the source is annotated with the same kind.
    labels (Sequence[str]): The target's labels, if the source has others: entities of other labels are dropped.
    quick (bool): Whether it is for a first look.
    RETURNS (Config): The config.
    """
    with warnings.catch_warnings():  # spaCy has no recommendation for every language
        warnings.simplefilter("ignore")
        config = init_config(lang=recipe.lang or "xx", pipeline=[component], optimize="efficiency", silent=True)
    with_vectors = recipe.features == "vectors"
    paths = {"source": None, "train": None, "dev": None, "vectors": None, **recipe.paths}
    config["paths"] = {name: paths[name] for name in ("source", "train", "dev", "vectors")}
    config["components"]["tok2vec"]["model"]["embed"]["include_static_vectors"] = with_vectors
    config["initialize"]["init_tok2vec"] = None
    # sentence by sentence; what spacy.Corpus.v1 would read out of both files with gold_preproc
    config["corpora"]["train"] = {
        "@readers": "spacy-datnet.SourceTargetCorpus.v1",
        "source": "${paths.source}" if with_source else None,
        "target": "${paths.train}",
        "target_count": None,
        "target_ratio": None,
        "seed": "${system.seed}",
    }
    config["corpora"]["dev"]["gold_preproc"] = True
    steps = QUICK_STEPS if quick else STEPS
    rhythm: dict[str, Any] = {"max_steps": steps, "score_weights": dict(recipe.score_weights)}
    if not recipe.has_dev:
        rhythm |= {"eval_frequency": steps, "patience": 0}
    config["training"] |= rhythm
    if labels:
        config["nlp"]["pipeline"].append(FILTER)
        config["components"][FILTER] = {"factory": "datnet_label_filter", "labels": list(labels)}
    return config
