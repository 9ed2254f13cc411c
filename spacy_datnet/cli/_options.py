"""The options that several commands share: how a corpus is to be read, and which runs are meant."""

from pathlib import Path
from typing import Annotated, Literal

import typer

# what `corpora`, `bulk`, `experiments.tables` and `project.recipe` offer, said again because importing them takes
# seconds; a test compares
Format = Literal[
    "auto",
    "columns",
    "conllu",
    "brackets",
    "csv",
    "hf",
    "brat",
    "webanno",
    "labelstudio",
    "doccano",
    "prodigy",
    "spacy",
]
Scheme = Literal["auto", "iob1", "iob2", "bioes", "io"]
Delimiter = Literal["auto", "tab", "space"]
ExportFormat = Literal["prodigy", "doccano", "labelstudio", "brat", "webanno", "hf", "csv", "conll"]
ShardFormat = Literal["jsonl", "parquet", "spacy"]
Engine = Literal["local", "ray"]
TableFormat = Literal["md", "latex", "csv"]
PictureFormat = Literal["png", "svg", "pdf"]
Task = Literal["ner", "tagger", "chunker"]
Transfer = Literal["none", "full", "part"]
Features = Literal["none", "vectors", "frozen", "transformer"]

FormatOption = Annotated[Format, typer.Option(help="What the files are; auto looks into them.")]
AnnotationOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KIND[=COLUMN]",
        help="What the corpus is annotated with: ents, tag, pos or spans:KEY; repeatable. In a column file, tag=2 is "
        "the 2nd column, and without a number it is --tag-column. In CoNLL-U, tag=4 is UPOS as a tag.",
    ),
]
LabelMapOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[KIND=]FILE",
        help='A YAML or TOML file with new names for the labels, lines like `NN: NOUN` or `NN = "NOUN"`; an empty name '
        "takes the annotation away, '*' is any other label. Repeatable, for several kinds of annotation.",
    ),
]
EncodingOption = Annotated[str, typer.Option(help="Encoding of the file, for example latin-1; auto detects it.")]
DelimiterOption = Annotated[Delimiter, typer.Option(help="What separates the columns.")]
TokenColumnOption = Annotated[
    int | None, typer.Option(help="Column with the tokens, from 1; -1 is the last. Without it, the first.")
]
TagColumnOption = Annotated[
    int | None, typer.Option(help="Column with the tags, from 1; -1 is the last. Without it, the last.")
]
SchemeOption = Annotated[
    Scheme, typer.Option(help="Tagging scheme; BIOES includes BILUO and BMEWO, IO has labels without prefix.")
]
TagNamesOption = Annotated[
    str | None, typer.Option(help="Names of tags that are numbers, in their order: O,B-PER,I-PER. For Hugging Face.")
]
KeepPrefixesOption = Annotated[
    bool, typer.Option("--keep-prefixes", help="Leave a language code before each token, as in WikiANN.")
]

CodeOption = Annotated[
    Path | None,
    typer.Option("--code", "-c", help="A Python file that registers what the pipeline or the config names."),
]
AddressOption = Annotated[
    str | None, typer.Option(help="The address of a Ray cluster; without one, Ray is started on this machine.")
]
RunsArgument = Annotated[Path, typer.Argument(metavar="RUNS", help="The folder of the runs, see `run`.")]
BaseOption = Annotated[
    str | None, typer.Option(help="The variant to compare with; without it, the first one of the grid.")
]
