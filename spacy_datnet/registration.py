"""Importing this module registers everything that the entry points of the package name.

spaCy finds factories and architectures by entry points, so that nobody needs to import anything. An application that is
frozen into a file (PyInstaller, Nuitka) has no metadata to find them by: it does `spacy_datnet.register()`.
"""

from .features import contextual_vectors, frozen_transformer, word_vectors
from .models import datnet, datnet_encoder, parts
from .pipeline import chunker, label_filter, ner, tagger
from .training import batchers, callbacks, corpus, distilled, features, loggers, losses

MODULES = (
    *(word_vectors, frozen_transformer, contextual_vectors),
    *(parts, datnet, datnet_encoder),
    *(ner, tagger, chunker, label_filter),
    *(corpus, distilled, batchers, losses, callbacks, features, loggers),
)
