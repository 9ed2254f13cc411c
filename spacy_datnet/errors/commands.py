"""Messages of the commands: codes DN4xx."""


class Errors:
    """Messages of exceptions."""

    DN401 = "{path} exists. Name another file, or replace it with --force."
    DN402 = "There is no {setting} {value!r} for a config. Choose one of: {known}."
    DN403 = (
        "spaCy's own component on the encoder is there for named entities without a source, with features of its own: "
        "give --encoder without --task, --transfer and --features."
    )
    DN404 = (
        "{path} can't be written: {inside} is in it and would be removed. Name a folder that holds neither the "
        "pipeline nor the current folder."
    )
    DN405 = "{path} exists. Name another folder, or replace it with --force."
    DN406 = (
        "{path} is not replaced: it is not the folder of a pipeline, or not of a pipeline alone ({others}). Name "
        "another folder, or remove this one yourself."
    )
    DN407 = "The code in {path} can't be imported: {reason}"
    DN420 = (
        "The language of {path} can't be told from its name or its words; likely: {likely}. Give its code with --lang, "
        'as spaCy has it, or "xx" for a language that spaCy does not have.'
    )
    DN421 = 'spaCy has no language {lang!r}. It has: {known}. Take "xx" for any other.'
    DN422 = "{folder} holds {names} already, and nothing is overwritten. Name another folder."
    DN423 = "spaCy's language {lang!r} can't be used here: {reason}. Install what it names, or give --lang xx."
    DN424 = "{role} has only {count} sentence(s). A project needs {least} at least, to train and to judge."
    DN425 = "{place} has no vector of any word of the corpora. Check that it is of this language, and in text format."
    DN426 = "{place} is no file, no folder and no installed package; it is looked up from {folder}."
    DN427 = (
        "{path}, line {line}: {count} numbers, where the lines before have {width}. Word vectors in text format have a "
        "word and its numbers on a line, separated by spaces."
    )
    DN428 = "{path}, line {line}: a vector that is no numbers: {reason}."
    DN429 = (
        "The word vectors of target and source have {target} and {source} numbers, and one network reads both. Give "
        "vectors of one width, or one file for both."
    )
    DN430 = "The wheel of {folder} could not be built: {reason}"
    DN431 = "{path} is not what `project judge` writes: {reason}. Run the command judge of the project again."
    DN432 = "No run of {folder} has a result. See its manifest.jsonl for the errors, and run the command train again."
    DN433 = (
        "More than two files of vectors: {places}. Give those of the target, then those of the source if they differ."
    )
    DN434 = (
        'The checkpoint {checkpoint} needs transformers. Install them with `pip install "spacy-datnet[transformers]"`.'
    )


class Warnings:
    """Messages of warnings."""

    DN440 = (
        "Sentence borders are set after the components of this package, which read whole texts and lose much by it. "
        "Put what sets the borders before them, or a sentencizer."
    )
    DN450 = (
        "{share:.0%} of the sentences of {role} look as if they held several: there is a full stop before their end. "
        "Sentence borders are found by spaCy's sentencizer, for the training as well as in the pipeline that comes out."
    )
    DN451 = "{role} has {count} sentences only: a score on so few can be several points off."
    DN452 = "{place} knows {share:.0%} of the words only: vectors of another language, or of few words?"
    DN453 = (
        "The word vectors of target and source are not in one space: words that both have do not lie together. The "
        "source helps far less so; take aligned vectors, or those of one multilingual model."
    )
    DN454 = "It can't be told whether the word vectors of target and source are in one space: they share too few words."
    DN455 = "There are word vectors of the target only; they know {share:.0%} of the words of the source."
    DN456 = "The source is {ratio:.1f} times the target: a small source may help little."
    DN457 = (
        "The raw text {path} is not used: with --checkpoint, and without --vectors, word vectors are made out of it."
    )
