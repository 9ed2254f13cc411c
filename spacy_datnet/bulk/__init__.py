"""Bulk annotation: files are cut into parts (`plan`), workers of some engine (`engines`) annotate them (`work`) into
files of some form (`shards`), and a manifest (`manifest`) knows which are done.

A shard is done when its file has its final name and the manifest a line on it; whatever else there is, is done again.
"""

from .engines import ENGINES, PROCESSORS
from .manifest import BulkError, Manifest
from .plan import make_plan
from .shards import FORMATS, check_format
from .work import Job

__all__ = ["ENGINES", "FORMATS", "PROCESSORS", "BulkError", "Job", "Manifest", "check_format", "make_plan"]
