"""The Thinc side: registered architectures, the model node and its PyTorch shim."""
