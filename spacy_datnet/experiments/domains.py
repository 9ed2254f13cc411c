"""How far apart source and target are: the proxy A-distance of their sentences."""

import random
from pathlib import Path

from spacy.vocab import Vocab

from ..corpora.docbin import read_corpus, sentence_spans

SENTENCES = 2000
# with fewer of a corpus, half of which are held out, the error means nothing
FEWEST = 20


def read_texts(path: Path, limit: int = SENTENCES, seed: int = 0) -> list[str]:
    """Read some sentences of a corpus, chosen at random: their words, separated by spaces."""
    texts = [
        " ".join(token.text for token in sentence)
        for doc in read_corpus(path, Vocab())
        for sentence in sentence_spans(doc)
    ]
    return random.Random(seed).sample(texts, min(limit, len(texts)))


def proxy_a_distance(source: list[str], target: list[str], *, seed: int = 0) -> float | None:
    """Compute 2 (1 - 2 err), err being the share of held-out sentences whose corpus a linear classifier gets wrong.

    Ben-David et al. (2007), Analysis of Representations for Domain Adaptation. The classifier is a logistic regression
    over counts of character sequences of length 1 to 3 within words, so that the corpora are all it needs. Both corpora
    are cut to the same number of sentences, half of which are held out, then the halves change places. 0 means that
    this classifier can't tell the corpora apart, 2 that it knows the corpus of each sentence, as it nearly does of two
    languages.

    source (List[str]): Sentences of one corpus, in random order, see `read_texts`.
    target (List[str]): Those of the other.
    seed (int): Seed of the split. Defaults to 0.
    RETURNS (Optional[float]): Between 0 and 2; None if one of the corpora has fewer than 20 sentences.
    """
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline

    count = min(len(source), len(target))
    if count < FEWEST:
        return None
    texts = [*source[:count], *target[:count]]
    classes = [0] * count + [1] * count
    model = make_pipeline(
        HashingVectorizer(analyzer="char_wb", ngram_range=(1, 3), n_features=2**16), LogisticRegression(max_iter=1000)
    )
    halves = StratifiedKFold(2, shuffle=True, random_state=seed)
    error = 1 - float(cross_val_score(model, texts, classes, cv=halves).mean())
    return max(0.0, 2 * (1 - 2 * error))
