"""python -m spacy_datnet COMMAND."""

from .cli import app

app(prog_name="python -m spacy_datnet")
