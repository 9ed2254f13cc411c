"""The packages of the extra [report], and what is said if they are missing."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..errors import Errors
from ._problems import ExperimentError

PACKAGES = ("matplotlib", "sklearn", "scipy")

P, R = ParamSpec("P"), TypeVar("R")


def needs_report_extra(function: Callable[P, R]) -> Callable[P, R]:
    """Turn a missing package of the extra into a message that says how to install it."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in PACKAGES:
                raise
            raise ExperimentError(Errors.DN311.format(package=error.name)) from error

    return wrapper
