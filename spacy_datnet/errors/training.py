"""Messages of readers, batchers, losses and callbacks: DN1xx."""


class Errors:
    """Messages of exceptions."""

    DN101 = "{discriminator!r} is not a kind of discriminator. Use one of: {known}."
    DN102 = "alpha is {alpha}, but is the weight of the source and must be between 0 and 1."
    DN103 = "{name} is {value}, but must be a number that is not negative."
    DN104 = "The batch size is {size}, but must be at least 2: one example of the source and one of the target."
    DN105 = "target_share is {share}, but must be between 0 and 1. To train on the target only, leave the source out."
    DN106 = "source_ratio is {ratio}, but must be greater than 0 and at most 1."
    DN107 = "Give target_count or target_ratio, not both."
    DN108 = "There is no corpus at {path}. Give a .spacy file; `python -m spacy_datnet convert` makes one."
    DN109 = "There are no sentences in {path}. Files must be called *.spacy; `python -m spacy_datnet check` reads them."
    DN110 = "SourceTargetCorpus has nothing to read: give a source, a target, or both, and not target_count = 0 alone."
    DN111 = "pool is {pool}, but sentences are sorted within at least 1 batch."
    DN112 = "{path} can't be written: {reason}. What was saved before is whole; the same command goes on from there."
    DN113 = (
        "The training in {folder} was begun with something else, so it can't go on. Changed: {changes}. Change it "
        "back, name another folder, or start anew with --restart."
    )
    DN114 = "{path} can't be read, so the training can't go on: {reason}. Start anew with --restart."
    DN131 = "Another process is training in {folder}. Wait until it is done, or name another folder."


class Warnings:
    """Messages of warnings."""

    DN150 = (
        "The dev corpus has no sentences: every step counts as the best, and model-best is the last one. Name "
        "sentences that are not trained on with --paths.dev."
    )
    DN151 = "Other versions than when the training was begun, so the result may not be the same to the byte: {changes}."
    DN152 = (
        "The dev corpus has none of the labels that {name} learns ({known}), but others ({found}): its score stays 0, "
        "and the best step can't be told. Give both the same labels, as `spacy-datnet convert --label-map` does."
    )
    DN153 = (
        "The dev corpus has nothing that {name} learns: its score stays 0 or is missing, and the best step can't be "
        "told. Annotate it, or look at it with `spacy-datnet check`."
    )
