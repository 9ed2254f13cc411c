"""python -m spacy_datnet convert: column files to .spacy files."""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm
from wasabi import table

from ..corpora import (
    Survey,
    check_docbin_output,
    conversion_warnings,
    make_docs,
    make_vocab,
    survey_columns,
    write_docbin,
)
from ._app import app, failing_politely, say, warn
from ._options import (
    Delimiter,
    DelimiterOption,
    EncodingOption,
    Scheme,
    SchemeOption,
    TagColumnOption,
    TokenColumnOption,
)


@app.command()
def convert(
    source: Annotated[
        str,
        typer.Argument(metavar="IN", help="Column file; also .gz, or ARCHIVE.zip:FILE inside an archive."),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The .spacy file to write.")],
    lang: Annotated[str, typer.Option(help="Language code.")] = "xx",
    encoding: EncodingOption = "auto",
    delimiter: DelimiterOption = Delimiter("auto"),
    token_column: TokenColumnOption = 1,
    tag_column: TagColumnOption = -1,
    scheme: SchemeOption = Scheme("auto"),
) -> None:
    """Convert a column file (CoNLL-2002, CoNLL-2003, WNUT, WikiANN …) to a .spacy file.

    Encoding, columns and tagging scheme are detected from the whole file and shown. Documents are
    kept where -DOCSTART- lines mark them; otherwise each sentence becomes one Doc. Anything that
    can't be read with certainty ends the command with file, line and reason, and nothing is
    written.
    """
    with failing_politely():
        check_docbin_output(output, source)
        vocab = make_vocab(lang)
        survey = survey_columns(
            source,
            encoding=encoding,
            delimiter=delimiter.value,
            token_column=token_column,
            tag_column=tag_column,
            scheme=scheme.value,
        )
        docs = make_docs(survey.sentences(), vocab)
        for message in conversion_warnings(survey):
            warn(message)
        n_docs = survey.counts.documents
        write_docbin(tqdm(docs, total=n_docs, unit="doc", disable=None, leave=False), output)
    _show(survey)
    say(f"Wrote {output}")


def _show(survey: Survey) -> None:
    layout, counts = survey.layout, survey.counts
    how = "detected" if layout.encoding.detected else "as named"
    if layout.encoding.doubt:
        how = "guessed"
    scheme = survey.scheme.upper()
    if survey.prefixes:
        scheme += f" (prefixes {', '.join(survey.prefixes)})"
    else:
        scheme = "no entity tags: all schemes read the same"
    labels = ", ".join(f"{label} {n:,}" for label, n in sorted(counts.labels.items()))
    rows = {
        "Encoding": f"{layout.encoding.name} ({how})",
        "Columns": f"{layout.width}, separated by {layout.delimiter}s; "
        f"tokens in {layout.token_column + 1}, tags in {layout.tag_column + 1}",
        "Scheme": scheme,
        "Documents": f"{counts.documents:,}" + ("" if layout.has_documents else " (one per sentence)"),
        "Sentences": f"{counts.sentences:,}",
        "Tokens": f"{counts.tokens:,}" + (f", {counts.missing:,} of them not annotated" if counts.missing else ""),
        "Entities": f"{counts.entities:,}" + (f": {labels}" if labels else ""),
    }
    say(table(rows, max_col=max(map(len, rows.values()))))
