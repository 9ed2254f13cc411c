"""The network in pure PyTorch: importable without spaCy and without Thinc."""
