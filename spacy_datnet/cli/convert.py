"""spacy-datnet convert: corpora to .spacy files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Errors
from ._app import app, failing_politely, import_code, say, warn
from ._options import (
    AnnotationOption,
    CodeOption,
    DelimiterOption,
    EncodingOption,
    ExportFormat,
    FormatOption,
    KeepPrefixesOption,
    LabelMapOption,
    SchemeOption,
    TagColumnOption,
    TagNamesOption,
    TokenColumnOption,
)
from ._tables import N_LABELS, heading, show_table

if TYPE_CHECKING:
    from ..corpora import Survey


@app.command()
def convert(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="The corpus; also .gz, or ARCHIVE.zip:FILE inside an archive, or a pattern of several files. Several "
            "corpora are converted each by itself.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="The .spacy file to write, or a folder: train.conll becomes train.spacy."),
    ],
    lang: Annotated[str, typer.Option(help="Language code.")] = "xx",
    format: FormatOption = "auto",
    annotation: AnnotationOption = None,
    label_map: LabelMapOption = None,
    encoding: EncodingOption = "auto",
    delimiter: DelimiterOption = "auto",
    token_column: TokenColumnOption = None,
    tag_column: TagColumnOption = None,
    scheme: SchemeOption = "auto",
    keep_prefixes: KeepPrefixesOption = False,
    tag_names: TagNamesOption = None,
    to: Annotated[
        ExportFormat | None,
        typer.Option(
            help="Write the entities for another tool instead of a .spacy file. OUT is a folder for brat and, "
            "unless it is called .tsv, for WebAnno; hf is JSON lines, or Parquet if OUT is called so."
        ),
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="PIPELINE",
            help="With --to: read IN as raw text (.txt, .jsonl, .parquet or .spacy) and write what this pipeline "
            "predicts, to be corrected in the tool.",
        ),
    ] = None,
    code: CodeOption = None,
) -> None:
    """Convert corpora to .spacy files, or with --to to the files of other tools.

    A corpus may be a column file (CoNLL-2000, CoNLL-2002, CoNLL-2003, WNUT, WikiANN …), whose tags are
    those of entities if --annotation does not say otherwise; CoNLL-U, with parts of speech, tags and
    entities; bracketed trees as in the Penn Treebank, with tags; CSV with a header; what Prodigy, doccano,
    Label Studio and Hugging Face export in JSON or Parquet; a folder of brat standoff; or WebAnno TSV. What
    is odd in a file is recognised, repaired and said: comment lines, columns of running numbers, tags on two
    levels, offsets that do not fit.

    Format, encoding, columns and tagging scheme are detected from the whole file and shown.
    Documents are kept where -DOCSTART- lines or # newdoc mark them, and the files of a pattern are
    documents; otherwise each sentence becomes one Doc. Anything that can't be read with certainty
    ends the command with file, line and reason, and nothing is written: of several corpora, none.
    """
    from ..corpora import (
        WRITERS,
        CorpusError,
        check_output,
        conversion_warnings,
        docbin_paths,
        export_corpus,
        make_vocab,
        parse_annotations,
        parse_label_maps,
        survey_corpus,
        write_corpus,
    )

    with failing_politely():
        if to is None:
            paths = docbin_paths(sources, output)
        elif len(sources) > 1 and pipeline is None:
            raise CorpusError(Errors.DN248.format(output=output))
        else:
            check_output(output, *sources, is_folder=WRITERS[to].writes_folder(output))
            paths = [output]
        if pipeline is not None:
            if to is None:
                raise CorpusError(Errors.DN288)
            _predict(sources, output, to, pipeline, code)
            return
        make_vocab(lang)  # complains of a language that spaCy does not know
        annotations, label_maps = parse_annotations(annotation or ()), parse_label_maps(label_map or ())
        conversions = []
        for source, path in zip(sources, paths, strict=True):
            survey = survey_corpus(
                source,
                format=format,
                annotations=annotations,
                label_maps=label_maps,
                encoding=encoding,
                delimiter=delimiter,
                token_column=token_column,
                tag_column=tag_column,
                scheme=scheme,
                keep_prefixes=keep_prefixes,
                tag_names=tag_names and tag_names.split(","),
                lang=lang,
            )
            conversions.append((survey, survey.sentences(), path))
        for survey, sentences, path in conversions:
            for message in conversion_warnings(survey):
                warn(message)
            counts = survey.counts
            if to is None:
                write_corpus(sentences, counts.tokens, lang, path)
            else:
                for message in export_corpus(survey, lang, to, path):
                    warn(message)
            _show(survey)
            say(f"Wrote {path}")


def _predict(sources: list[str], output: Path, to: str, pipeline: str, code: Path | None) -> None:
    import spacy

    from ..corpora import export_docs, predict
    from ..corpora.progress import progress

    import_code(code)
    try:
        nlp = spacy.load(pipeline)
    except OSError as error:
        raise ValueError(str(error)) from error
    for message in export_docs(progress(predict(sources, nlp), unit="document"), to, output):
        warn(message)
    say(f"Wrote {output}")


def _show(survey: Survey) -> None:
    form, counts = survey.format, survey.counts
    is_only = len(counts.layers) == 1
    missing = {kind: counts.missing(kind) for kind in counts.layers if counts.missing(kind)}
    rows = {}
    if form.is_text:
        encoding = form.content.encoding
        how = "guessed" if encoding.doubt else "detected" if encoding.detected else "as named"
        rows["Encoding"] = f"{encoding.name} ({how})"
    rows |= dict([form.summary])
    for kind in survey.schemes:
        rows["Scheme" if is_only else f"Scheme ({kind})"] = _scheme(survey, kind)
    rows["Documents"] = f"{counts.documents:,}" + ("" if form.has_documents else " (one per sentence)")
    rows["Sentences"] = f"{counts.sentences:,}"
    rows["Tokens"] = f"{counts.tokens:,}" + "".join(
        f", {n:,} of them not annotated" + ("" if is_only else f" with {kind}") for kind, n in missing.items()
    )
    if form.also:
        rows["Not read"] = "; ".join(form.also)
    for kind, layer in counts.layers.items():
        labels = [f"{label} {n:,}" for label, n in sorted(layer.labels.most_common(N_LABELS))]
        if len(layer.labels) > N_LABELS:
            labels.append(f"and {len(layer.labels) - N_LABELS} rarer ones")
        rows[heading(kind)] = f"{layer.total:,}" + (f": {', '.join(labels)}" if labels else "")
    show_table(rows, max_col=max(map(len, rows.values())))


def _scheme(survey: Survey, kind: str) -> str:
    if survey.schemes[kind] == "io":
        return "IO"
    if not survey.prefixes[kind]:
        return "nothing is tagged: all schemes read the same"
    return f"{survey.schemes[kind].upper()} (prefixes {', '.join(survey.prefixes[kind])})"
