"""python -m spacy_datnet COMMAND."""

from .cli import app

if __name__ == "__main__":  # not again in the processes that `run` starts
    app(prog_name="python -m spacy_datnet")
