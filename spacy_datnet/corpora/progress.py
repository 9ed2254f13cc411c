"""A bar with the time that is left, for what may take a while."""

from typing import Any

from tqdm import tqdm

# seconds before a bar is worth its line
DELAY = 2


def progress(items: Any = None, **settings: Any) -> Any:
    """Show how far a loop is, on a terminal and if it takes more than a moment.

    items (Optional[Iterable]): What is gone through; None if the bar is moved by hand.
    settings: Those of `tqdm`.
    RETURNS (tqdm): The bar, which is the loop's iterable.
    """
    # disable=None: only on a terminal
    return tqdm(items, delay=DELAY, disable=None, leave=False, **settings)
