"""Messages of raw text: reading it, annotating it in bulk or by hand, and choosing from it: DN34x to DN38x."""


class Errors:
    """Messages of exceptions."""

    DN340 = "{path} can't be read as raw text by its name. It must end in one of: {known}."
    DN341 = (
        "{place}: this is no raw text. A line of a .txt file is a document in UTF-8, and a record of another file has "
        "its text in `text`."
    )
    DN342 = '{path}: .parquet files need the package pyarrow. Install it with `pip install "spacy-datnet[parquet]"`.'
    DN343 = "{path} has no column `text`. It has: {columns}. Rename the one with the text."
    DN344 = "There is no pipeline {pipeline}, as a folder or an installed package; it is looked up from {folder}."
    DN345 = "{folder} holds something else than annotated documents, and nothing is put beside it. Name another folder."
    DN346 = "Another process annotates into {folder}. Wait for its end, or name another folder."
    DN347 = "{path} can't be read, so the annotation can't go on: {reason}. Start anew with --restart."
    DN348 = (
        "What is in {folder} was annotated with something else, so it can't go on. Changed: {changes}. Change it back, "
        "name another folder, or start anew with --restart."
    )
    DN349 = "{pipeline} fails at every document of {path}, first with {reason}. Try it on a text of your own."
    DN350 = (
        "Workers died {count} times while they annotated what begins in {path} with number {first}, perhaps for want "
        "of memory. What is done stays: the same command goes on, with fewer --workers if need be."
    )
    DN361 = "There is no strategy {strategy!r}. Choose one of: {known}; or register it in a file of --code."
    DN362 = (
        "The strategy {strategy!r} asks how sure the pipeline is, and nothing in this one says it: that takes a "
        "`datnet_ner`. With --strategy random, its entities are suggested all the same."
    )
    DN370 = 'The web application needs {package}. Install it with `pip install "spacy-datnet[serve]"`.'
    DN371 = (
        '{place}: {reason}. A record of the queue is JSON like {{"text": "…", "spans": [{{"start": 0, '
        '"end": 3, "label": "PER"}}]}}; spans may be missing, and their offsets count code points.'
    )
    DN372 = "There is no text in the queue {path}."
    DN373 = "The answers in {path} can't be used: {reason}. Move the file away to begin anew."
    DN374 = "There is no listening at {host}, port {port}: {reason}. Name another --port; 0 takes any that is free."
    DN375 = "Refused: the request names the host {host!r} or comes from another page."
    DN376 = "Refused: the token of the page is missing. Reload the page."
    DN377 = "Someone has answered this in the meantime, in another tab perhaps."
    DN378 = "The request is too large, or does not say how large it is: {limit} bytes are the limit."
    DN379 = "There is no format {to!r} to export to. Choose one of: {known}."


class Warnings:
    """Messages of warnings."""

    DN355 = "{count} record(s) were set aside in {path}: {first}{more}"
    DN365 = "There are not enough sentences for {budget} tokens: those that are new and differ have {spent}."
    DN385 = "At {host}, whoever reaches this machine can read the queue and answer it."
    DN386 = "{path} has answers to {count} texts that are not in the queue. They are kept there, and not exported."
