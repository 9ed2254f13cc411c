"""What to annotate next: sentences of raw text (`candidates`), scored by a strategy (`strategies`), of which the best
that differ are taken (`choose`).
"""

from .candidates import SelectionError, collect
from .choose import choose
from .strategies import STRATEGIES, strategies
from .write import doubtful_tokens, write_suggestions

__all__ = ["STRATEGIES", "SelectionError", "choose", "collect", "doubtful_tokens", "strategies", "write_suggestions"]
