"""Messages of raw text: reading it, annotating it in bulk, and choosing from it: DN34x to DN36x."""


class Errors:
    """Messages of exceptions."""

    DN340 = "{path} can't be read as raw text by its name. It must end in one of: {known}."
    DN341 = (
        "{place}: this is no raw text. A line of a .txt file is a document in UTF-8, and a record of another file has "
        "its text in `text`."
    )
    DN342 = '{path}: .parquet files need the package pyarrow. Install it with `pip install "spacy-datnet[parquet]"`.'
    DN343 = "{path} has no column `text`. It has: {columns}. Rename the one with the text."
