"""What `spacy train` is given: corpus reader, batcher, objective, callback and logger."""
