"""The command line: `spacy-datnet COMMAND`, or `python -m spacy_datnet COMMAND`.

Importing a command's module registers it, and costs no more than typer: a command imports what it works with when it
runs, so that `--help` never waits for spaCy and PyTorch. tests/cli/test_app.py checks this for every command.
"""

from . import annotate as annotate
from . import check as check
from . import convert as convert
from . import distil as distil
from . import export as export
from . import figures as figures
from . import init as init
from . import init_config as init_config
from . import project as project
from . import report as report
from . import run as run
from . import sample as sample
from . import serve as serve
from . import suggest as suggest
from . import tables as tables
from . import train as train
from . import vectors as vectors
from ._app import app as app
