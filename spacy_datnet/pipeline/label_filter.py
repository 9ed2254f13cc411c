"""A component that drops entities of other labels: what a pipeline learnt from a corpus that has more."""

from collections.abc import Sequence

from spacy.language import Language
from spacy.tokens import Doc


@Language.factory("datnet_label_filter", assigns=["doc.ents"], requires=["doc.ents"], default_config={"labels": []})
def make_label_filter(nlp: Language, name: str, labels: list[str]) -> "LabelFilter":
    """Make a component that keeps entities of some labels alone.

    labels (List[str]): The labels to keep. Defaults to none.
    RETURNS (LabelFilter): The component.
    """
    return LabelFilter(labels)


class LabelFilter:
    """Drops the entities of a doc whose labels are none of its own, see `make_label_filter`."""

    def __init__(self, labels: Sequence[str]):
        self.labels = frozenset(labels)

    def __call__(self, doc: Doc) -> Doc:
        """Drop what is not wanted.

        doc (Doc): The doc, changed in place.
        RETURNS (Doc): The same doc.
        """
        doc.set_ents([ent for ent in doc.ents if ent.label_ in self.labels], default="outside")
        return doc
