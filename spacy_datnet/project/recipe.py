"""What a config is to have, by task, variant and word features; all that differs between configs is here."""

import json
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, get_args

import jinja2

from ..errors import Errors

Task = Literal["ner", "tagger", "chunker"]
Transfer = Literal["none", "full", "part"]
Features = Literal["none", "vectors", "frozen", "transformer"]

# the tags of Universal Dependencies
UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()  # noqa: SIM905
TASKS = {"ner": "Named entities", "tagger": "Part-of-speech tags", "chunker": "Chunks"}
VARIANTS = {
    "none": "base model: the target only, for comparison.",
    "full": "DATNet-F: one encoder for source and target. For very little target data, and across domains.",
    "part": "DATNet-P: a shared encoder and a private one per resource. To compare with DATNet-F.",
}
FEATURES = {
    "none": "Word features are hashed and trained with the rest.",
    "vectors": "Word features are word vectors.",
    "frozen": "Word features are those of a frozen transformer, computed once and kept on disk: for a CPU.",
    "transformer": "A transformer is fine-tuned, feed-forward above it and no characters: section 4.6 of the paper.",
}
PATHS = {
    **dict.fromkeys(["source", "train", "dev", "vectors", "source_vectors", "transformer"]),
    "features": "features",
}


@dataclass(frozen=True)
class Recipe:
    """The settings of a config that are not always the same.

    task (str): "ner", "tagger" or "chunker".
    transfer (str): "none" for the base model, "full" for DATNet-F, "part" for DATNet-P.
    features (str): What words are seen by: "none" for hashed features that are trained with the rest, "vectors" for
        word vectors, "frozen" or "transformer" for a transformer that is left as it is or fine-tuned.
    gpu (bool): Whether it is for a GPU.
    encoder (bool): Whether spaCy's own `ner` stands on the network's encoder instead of a component of this package.
    lang (Optional[str]): The code of the target's language; None leaves it to who trains.
    paths (dict): The values of [paths].
    attribute (str): What a tagger sets: "pos" or "tag".
    spans_key (str): What a chunker sets: the key of `doc.spans`.
    source_annotation (Optional[str]): What the source is annotated with, if not as the target is.
    share_decoder (bool): Whether source and target have one decoder.
    own_vectors (bool): Whether the source has word vectors of its own.
    labels (Any): The labels for the component's initialization.
    has_dev (bool): Whether there is a dev corpus that chooses the step. Without one, the steps
        are fixed, and what is given as such is only scored at the end.
    target_share (Optional[float]): The target's part of a batch; None grows with the target.
    decay (float): How the learning rate falls with the epochs.
    layers (Optional[Tuple[int]]): Of a frozen transformer, those whose mean is a word's vector; None for the last.
    output (str): The config's path, for its first lines.
    command (str): How it was made, for its first lines.
    """

    task: Task
    transfer: Transfer
    features: Features
    gpu: bool = False
    encoder: bool = False
    lang: str | None = None
    paths: dict[str, str] = field(default_factory=dict)
    attribute: str = "pos"
    spans_key: str = "chunks"
    source_annotation: str | None = None
    share_decoder: bool = False
    own_vectors: bool = False
    labels: Any = None
    has_dev: bool = True
    seed: int = 0
    epsilon: float = 2.0
    dropout: float = 0.5
    max_steps: int = 2400
    patience: int = 600
    eval_frequency: int = 200
    batch_size: int = 64
    target_share: float | None = None
    decay: float = 0.05
    learn_rate: float = 0.002
    layers: tuple[int, ...] | None = (6, 9, 12)
    output: str = "config.cfg"
    command: str = ""

    def __post_init__(self) -> None:
        for setting, known in (("task", Task), ("transfer", Transfer), ("features", Features)):
            if (value := getattr(self, setting)) not in get_args(known):
                raise ValueError(Errors.DN402.format(setting=setting, value=value, known=", ".join(get_args(known))))
        if self.encoder and (self.task, self.transfer, self.features) != ("ner", "none", "none"):
            raise ValueError(Errors.DN403)

    @property
    def has_source(self) -> bool:
        """Whether a source is trained on as well."""
        return self.transfer != "none"

    @property
    def needs_checkpoint(self) -> bool:
        """Whether a transformer reads the words."""
        return self.features in ("frozen", "transformer")

    @property
    def component(self) -> str:
        """The name of the component."""
        return f"datnet_{self.task}"

    @property
    def pipeline(self) -> list[str]:
        """The names of the components."""
        if self.encoder:
            return ["tok2vec", "ner"]
        return [*(["transformer"] if self.features == "transformer" else []), self.component]

    @property
    def title(self) -> str:
        """What the config is for, in two lines."""
        if self.encoder:
            return "spaCy's own ner on DATNet's encoder, without a source.\n# A tagger or a parser may listen, too."
        return f"{TASKS[self.task]}, {VARIANTS[self.transfer]}\n# {FEATURES[self.features]}"

    @property
    def score_weights(self) -> dict[str, float | None]:
        """The scores that are shown, and by which the best pipeline is chosen."""
        if self.task == "ner":
            return {"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None}
        if self.task == "tagger":
            return {f"{self.attribute}_acc": 1.0, f"{({'pos', 'tag'} - {self.attribute}).pop()}_acc": None}
        name = f"spans_{self.spans_key}"
        return {f"{name}_f": 1.0, f"{name}_p": 0.0, f"{name}_r": 0.0, f"{name}_per_type": None}


def make_recipe(task: Task = "ner", transfer: Transfer = "full", features: Features = "none", **changes: Any) -> Recipe:
    """Choose the settings of a config.

    The values are those of the experiments in project/grids: found on dev sets, with a hundred target sentences or so.

    task (str): "ner", "tagger" or "chunker".
    transfer (str): "none", "full" or "part".
    features (str): "none", "vectors", "frozen" or "transformer".
    changes: Settings that are to differ, see `Recipe`.
    RETURNS (Recipe): The settings.
    """
    recipe = Recipe(task, transfer, features)
    chosen: dict[str, Any] = {
        "share_decoder": recipe.has_source and task != "chunker",
        # chunks are learnt from tags of the same language
        "own_vectors": recipe.has_source and features == "vectors" and task != "chunker",
        "source_annotation": "tag" if recipe.has_source and task == "chunker" else None,
        "labels": UPOS if task == "tagger" else None,
    }
    if not recipe.needs_checkpoint and task != "ner":
        # every word has a tag, so that few sentences in a batch do
        chosen |= {"dropout": 0.3, "batch_size": 32, "target_share": 0.5, "learn_rate": 0.004}
    if features == "none":
        chosen |= {"epsilon": 0.6, "max_steps": 300, "patience": 150, "eval_frequency": 50, "decay": 0.01}
    elif features == "frozen":
        chosen |= {"batch_size": 32, "learn_rate": 0.004}
    elif features == "transformer":
        chosen |= {"dropout": 0.1, "batch_size": 64 if changes.get("gpu") else 16, "decay": 0.0}
    if not recipe.has_source:
        chosen |= {"batch_size": 16, "target_share": None, "decay": 0.0}
        if features == "transformer":
            chosen |= {"max_steps": 1200}
        elif features != "none":
            chosen |= {"max_steps": 1000, "patience": 300, "eval_frequency": 100, "learn_rate": 0.004}
    if changes.get("encoder"):
        chosen |= {"dropout": 0.3, "max_steps": 1000, "patience": 600, "eval_frequency": 100}
    return replace(recipe, **(chosen | changes))


def environment() -> jinja2.Environment:
    """Make what renders the templates of this wing."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("spacy_datnet.project"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    found.filters["json"] = partial(json.dumps, ensure_ascii=False)
    return found


def render_config(recipe: Recipe) -> str:
    """Write a config, with comments."""
    text = environment().get_template("config.cfg.jinja").render(r=recipe, paths={**PATHS, **recipe.paths})
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
