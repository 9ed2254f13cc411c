"""The page: what it shows of each corpora, filled into `page.html`."""

from importlib.resources import files
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from ...corpora import CorpusError
from .._extra import needs_report_extra
from ..domains import proxy_a_distance, read_texts
from ..figures import figures_of, to_svg
from ..mistakes import count_confusions, examples_of, label_scores
from ..predictions import Sentence, sentences_of_variant
from ..results import OF_RUN, Results, name_of
from ..tables import Row, cells, rows
from .sentences import describe, render
from .verdict import does_the_source_help, warnings_of, what_would_more_bring, which_variant

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


@needs_report_extra
def write_report(results: Results) -> str:
    """Write the report on the runs of a grid.

    results (Results): The runs; they may be unfinished, and some or all of them may have failed.
    RETURNS (str): An HTML page that needs nothing else.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_read("page.html"))
    table = rows(results)
    parts = [_corpora(results, corpora, number, table) for number, corpora in enumerate(results.corpora)]
    return template.render(results=results, parts=parts, style=Markup(_read("page.css")), versions=_versions(results))


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf8")


def _corpora(results: Results, corpora: str, number: int, table: list[Row]) -> dict[str, Any]:
    """Collect what is shown of corpora."""
    size = results.largest(corpora)
    judged = results.judged(corpora, size)
    best = results.best(corpora, size)
    sentences = {name: sentences_of_variant(results, corpora, name, size) for name in judged}
    return {
        "name": corpora,
        "anchor": f"corpora-{number}",
        "score": name_of(results.score(corpora)),
        "count": results.sentences(corpora, size),
        "base": results.base,
        "best": best,
        "answers": [
            does_the_source_help(results, corpora),
            which_variant(results, corpora),
            what_would_more_bring(results, corpora),
        ],
        "warnings": warnings_of(results, corpora),
        "sizes": results.sizes(corpora),
        "overview": _overview(results, corpora),
        "rows": [cells(row) for row in table if row.corpora == corpora],
        "figures": _figures(results, corpora, best, f"f{number}"),
        "labels": _labels(sentences, judged) if all(sentences.values()) else [],
        "judged": judged,
        "confusions": _confusions(sentences[best], len(results.select(corpora, best, size))),
        "distance": _distance(results, corpora),
        "cost": _cost(results, corpora),
        "settings": _settings(results, corpora),
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


def _figures(results: Results, corpora: str, best: str, prefix: str) -> dict[str, Markup]:
    """Draw the pictures that the runs allow, by name."""
    return {
        name: Markup(to_svg(figure, f"{prefix}-{name}", f"{TITLES[name]}, {corpora}"))
        for name, figure in figures_of(results, corpora, forecast=best).items()
    }


def _labels(sentences: dict[str, list[Sentence]], judged: list[str]) -> list[dict[str, Any]]:
    """List the scores per label of the base and the best variant, over the test sentences of all seeds."""
    scores = [{one.label: one for one in label_scores(sentences[name])} for name in judged]
    found = []
    for label in dict.fromkeys(label for of_variant in reversed(scores) for label in of_variant):
        values = [of_variant.get(label) for of_variant in scores]
        difference = f"{values[-1].f - values[0].f:+.1f}".replace("-", "−") if all(values) else ""
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
    """Measure how far apart source and target are; None if a corpus is gone or tiny, or there is no source."""
    for variant in results.variants(corpora):
        settings = results.config_of(corpora, variant)
        paths = [settings.get("corpora.train.source"), settings.get("corpora.train.target")]
        if all(path and (results.current / path).exists() for path in paths):
            try:
                texts = [read_texts(results.current / path) for path in paths]
            except CorpusError:
                return None
            return proxy_a_distance(*texts)
    return None


def _cost(results: Results, corpora: str) -> list[dict[str, Any]]:
    """Sum up what the training of each variant took."""
    found = []
    for variant in results.variants(corpora):
        for size in results.sizes(corpora):
            if records := results.select(corpora, variant, size):
                mean = {key: sum(r[key] for r in records) / len(records) for key in ("steps", "best_step", "seconds")}
                peak = max(record["peak_mb"] for record in records)
                found.append({"variant": variant, "size": size, "peak_mb": peak, **mean})
    return found


def _settings(results: Results, corpora: str) -> list[tuple[str, list[str]]]:
    """List the settings in which the variants differ, with the value in each."""
    configs = list(results.configs(corpora).values())
    names = {name: None for config in configs for name in config if not name.startswith(OF_RUN)}
    table = [(name, [_value(config, name) for config in configs]) for name in names]
    return [(name, values) for name, values in table if len(set(values)) > 1]


def _value(config: dict[str, Any], name: str) -> str:
    return str(config[name]) if name in config else ""


def _versions(results: Results) -> dict[str, str]:
    """List the versions that the runs were done with; several if they changed."""
    found: dict[str, dict[str, None]] = {}
    for record in results.done:
        for name, version in record["versions"].items():
            found.setdefault(name, {})[version] = None
    return {name: ", ".join(versions) for name, versions in found.items()}
