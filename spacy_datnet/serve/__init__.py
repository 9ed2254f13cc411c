"""A web application for one pipeline: to look at what it predicts, to annotate a queue of texts, and for programs."""
