"""The command line: python -m spacy_datnet COMMAND. Importing a command's module registers it."""

from . import check as check
from . import convert as convert
from . import export as export
from . import run as run
from . import sample as sample
from ._app import app as app
