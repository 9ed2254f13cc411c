"""The command line: python -m spacy_datnet COMMAND. Importing a command's module registers it."""

from . import check as check
from . import convert as convert
from . import export as export
from . import figures as figures
from . import report as report
from . import run as run
from . import sample as sample
from . import tables as tables
from ._app import app as app
