"""Messages of the distillation: DN320 to DN339."""


class Errors:
    """Messages of exceptions."""

    DN320 = "{place} can't be loaded as a teacher: {reason}. Give the folder or the name of a spaCy pipeline."
    DN321 = (
        "{folder} was begun with other teachers, raw text or settings, or is damaged, so it can't be gone on with. "
        "Name another folder, or start anew with --restart."
    )
    DN322 = "There is nothing to label in {raw}: no sentences, or only such as are annotated."
    DN323 = (
        "{teachers} set nothing of {kind!r} in the raw text, so there is nothing to learn. Say with --annotation what "
        "they set: ents, tag, pos or spans:KEY; and see whether the text is of their language."
    )
    DN324 = "{path} holds other things than a distillation ({name}), and nothing is overwritten. Name another folder."
    DN325 = "{kind!r} is no kind of annotation. Use ents, tag, pos or spans:KEY."
    DN330 = "gold_share is {share}, but must be at least 0 and less than 1."
    DN331 = "There are no .spacy files in {path}: `spacy-datnet distil` writes them, in the folder `labelled`."


class Warnings:
    """Messages of warnings."""

    DN335 = (
        "The student is worse than {teacher} on the dev set ({student:.1f} < {best:.1f}). More raw text, better word "
        "vectors or a source may help it; or keep the teacher, where its speed is no matter."
    )
    DN337 = (
        "The teachers give labels that no annotated sentence of the target has: {labels}. If they are others for the "
        "same, rename them with --label-map."
    )
    DN336 = (
        "There are no more than {count} gold sentences and no dev set, which are too few to hold some out: the "
        "student's confidences are not calibrated, and nothing says how good it is."
    )
