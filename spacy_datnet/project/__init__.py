"""Projects: the config of a training, made from one template."""
