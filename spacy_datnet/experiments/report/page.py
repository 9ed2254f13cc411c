"""The page: what it shows of each corpora, filled into `page.html`."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment
from markupsafe import Markup
from spacy import displacy

from ...corpora import CorpusError
from .._problems import has_sklearn
from ..domains import proxy_a_distance, read_texts
from ..figures import figures_of, to_svg
from ..mistakes import Confusion, count_confusions, examples_of, label_scores
from ..predictions import Sentence, sentences_of_variant
from ..results import OF_RUN, Results, name_of
from ..significance import Item
from ..tables import cells, rows, write_signed
from .verdict import does_the_source_help, warnings_of, what_would_more_bring, which_variant

ANSWERS = (does_the_source_help, which_variant, what_would_more_bring)
CONFUSIONS = 5
EXAMPLES = 2
LONGEST = 30
# for those who can't see the pictures
TITLES = {
    "learning": "Test scores against target sentences",
    "setting": "Test scores against a setting",
    "variants": "Test scores of the variants",
    "discriminator": "Accuracy of the discriminator over time",
    "reliability": "Accuracy of predictions against their confidence",
    "tsne": "Shared features of source and target",
}


def write_report(results: Results) -> str:
    """Write the report on the runs of a grid.

    results (Results): The runs; they may be unfinished, and some or all of them may have failed.
    RETURNS (str): An HTML page that needs nothing else.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page, style = (files(__package__).joinpath(name).read_text(encoding="utf8") for name in ("page.html", "page.css"))
    table = rows(results)
    versions: dict[str, dict[str, None]] = {}
    for record in results.done.get("record", ()):
        for name, version in record.versions.items():
            versions.setdefault(name, {})[version] = None
    return environment.from_string(page).render(
        results=results,
        failed=results.failed.to_dict("records"),
        parts=[_corpora(results, corpora, number, table) for number, corpora in enumerate(results.corpora)],
        style=Markup(style),
        versions={name: ", ".join(several) for name, several in versions.items()},
    )


def _corpora(results: Results, corpora: str, number: int, table: pd.DataFrame) -> dict[str, Any]:
    """Collect what is shown of corpora."""
    size = results.largest(corpora)
    judged, best = results.judged(corpora, size), results.best(corpora, size)
    sentences = {name: sentences_of_variant(results, corpora, name, size) for name in judged}
    figures = figures_of(results, corpora, forecast=best)
    return {
        "name": corpora,
        "anchor": f"corpora-{number}",
        "score": name_of(results.score(corpora)),
        "count": results.sentences(corpora, size),
        "base": results.base,
        "best": best,
        "answers": [answer(results, corpora) for answer in ANSWERS],
        "warnings": [*warnings_of(results, corpora), *results.cut_short(corpora)],
        "sizes": results.sizes(corpora),
        "overview": _overview(results, corpora),
        "rows": cells(table[table["corpora"] == corpora], results.base).values.tolist(),
        "figures": {
            name: Markup(to_svg(figure, f"f{number}-{name}", f"{TITLES[name]}, {corpora}"))
            for name, figure in figures.items()
        },
        "labels": _labels(list(sentences.values())) if all(sentences.values()) else [],
        "judged": judged,
        "confusions": [] if best is None else _confusions(sentences[best], len(results.select(corpora, best, size))),
        "distance": _distance(results, corpora),
        "cost": _cost(results.select(corpora)),
        "settings": _settings(results.configs(corpora)),
        "variants": list(results.configs(corpora)),
    }


def _overview(results: Results, corpora: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """List by variant, for each size, the score and the paper's number."""
    found = []
    for variant in results.variants(corpora):
        row = []
        for size in results.sizes(corpora):
            paper = results.paper.get((corpora, variant, size))
            row.append((str(results.summary(corpora, variant, size) or ""), "" if paper is None else f"{paper:.2f}"))
        found.append((variant, row))
    return found


def _labels(judged: list[list[Sentence]]) -> list[dict[str, Any]]:
    """List the scores per label of the base and the best variant, over the test sentences of all seeds."""
    scores = [{one.label: one for one in label_scores(sentences)} for sentences in judged]
    found = []
    for label in dict.fromkeys(label for of_variant in reversed(scores) for label in of_variant):
        values = [of_variant.get(label) for of_variant in scores]
        first, last = values[0], values[-1]
        difference = write_signed(last.f - first.f, 1) if first and last and all(values) else ""
        annotated = f"{max(value.annotated for value in values if value):,}"
        found.append({"label": label, "annotated": annotated, "scores": values, "difference": difference})
    return found


def _confusions(sentences: list[Sentence], runs: int) -> list[dict[str, Any]]:
    """List the most frequent mistakes of a variant, each with example sentences."""
    return [
        {
            "what": describe(confusion),
            "count": count / runs,
            "examples": [
                (Markup(render(one, one.gold)), Markup(render(one, one.found)))
                for one in examples_of(confusion, sentences, count=EXAMPLES, longest=LONGEST)
            ],
        }
        for confusion, count in count_confusions(sentences).most_common(CONFUSIONS)
    ]


def _distance(results: Results, corpora: str) -> float | None:
    """Measure how far apart source and target are; None if a corpus is gone or tiny, there is no source, or no
    scikit-learn."""
    for variant in results.variants(corpora):
        settings = results.config_of(corpora, variant)
        named = [settings.get("corpora.train.source"), settings.get("corpora.train.target")]
        paths = [results.current / path for path in named if path]
        if len(paths) == len(named) and all(path.exists() for path in paths):
            try:
                texts = [read_texts(path) for path in paths]
            except CorpusError:
                return None
            return proxy_a_distance(*texts) if has_sklearn() else None
    return None


def _cost(runs: pd.DataFrame) -> list[dict[str, Any]]:
    """Sum up what the training of each variant took."""
    what = {"steps": "mean", "best_step": "mean", "seconds": "mean", "peak_mb": "max"}
    order = {name: runs[name].unique().tolist() for name in ("variant", "size")}
    cost = runs.groupby(["variant", "size"], as_index=False).agg(what)
    keys = {"key": lambda column: column.map(order[column.name].index)}
    return cost.sort_values(["variant", "size"], **keys).to_dict("records")


def _settings(configs: dict[str, dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """List the settings in which the variants differ, with the value in each."""
    names = dict.fromkeys(name for config in configs.values() for name in config if not name.startswith(OF_RUN))
    table = [(name, [str(config.get(name, "")) for config in configs.values()]) for name in names]
    return [(name, values) for name, values in table if len(set(values)) > 1]


def describe(confusion: Confusion) -> str:
    """Say a kind of mistake."""
    gold, found = confusion
    if gold is None:
        return f"{found} where there is nothing, or beside the right one"
    if found is None:
        return f"{gold} not found"
    return f"{gold} with wrong borders" if gold == found else f"{gold} taken for {found}"


def render(sentence: Sentence, items: Iterable[Item]) -> str:
    """Mark items in a sentence with displaCy; of tags, only those that are wrong.

    sentence (Sentence): The sentence.
    items (Iterable[Tuple[int, int, str]]): Its annotated or its predicted items.
    RETURNS (str): HTML, in which all that comes from the corpus is escaped.
    """
    text, starts = "", []
    for word, space in zip(sentence.words, sentence.spaces, strict=True):
        starts.append(len(text))
        text += word + (" " if space else "")
    if sentence.is_tagged:
        items = set(items) - (sentence.gold & sentence.found.keys())
    # displaCy escapes the text, but not the labels
    ents = [
        {"start": starts[start], "end": starts[end - 1] + len(sentence.words[end - 1]), "label": escape(label)}
        for start, end, label in sorted(items)
    ]
    return displacy.render([{"text": text, "ents": ents}], style="ent", manual=True, jupyter=False, minify=True)
