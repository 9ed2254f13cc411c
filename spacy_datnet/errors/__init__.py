"""Every message that spacy-datnet shows when something is wrong, with a code to search for.

A message says what is wrong, where, and what to do. Raise as ``raise ValueError(Errors.DN001.format(...))``. Each
wing of the package has a module of messages and a range of codes: DN0xx for models, word features and components,
DN1xx for training, DN2xx for corpora, DN3xx for experiments, DN4xx for commands.
"""

from . import commands, components, corpora, distillation, experiments, features, texts, training


class _Coded(type):
    """Prefix each message with its own name, so that the code can never go stale."""

    def __getattribute__(cls, code: str) -> str:
        message = super().__getattribute__(code)
        return f"[{code}] {message}" if code.startswith("DN") else message


class Errors(
    components.Errors,
    features.Errors,
    training.Errors,
    corpora.Errors,
    experiments.Errors,
    distillation.Errors,
    commands.Errors,
    texts.Errors,
    metaclass=_Coded,
):
    """Messages of exceptions."""


class Warnings(
    components.Warnings,
    features.Warnings,
    commands.Warnings,
    training.Warnings,
    corpora.Warnings,
    distillation.Warnings,
    texts.Warnings,
    metaclass=_Coded,
):
    """Messages of warnings: something was repaired or is probably not what the user wants."""
