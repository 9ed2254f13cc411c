"""A pre-trained transformer that only reads: words of sentences to vectors, and the bytes it is saved as."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import srsly
import torch
from safetensors import torch as safetensors

from ..errors import Errors
from .layout import group_by_length

# sentences are read in groups of so many padded pieces: few stay in the caches of a CPU, many fill a GPU
PADDED_PIECES = 1024
PADDED_PIECES_GPU = 16384
# sentences are cut into pieces of words in groups of so many
TOKENIZED = 1024
# what a configuration says about the file it comes from, and not about the network
UNIMPORTANT = {"architectures", "transformers_version", "torch_dtype", "dtype", "use_cache"}
# what makes the library load code or weights from elsewhere
UNSAFE = {"auto_map", "attn_implementation", "quantization_config"}
UNSAFE |= {"backbone", "backbone_config", "use_pretrained_backbone", "use_timm_backbone"}
# more pieces than that are never read at once; a tokenizer without a limit says 10^30
LONGEST = 1 << 20


class Checkpoint:
    """A transformer with its tokenizer, never trained and never changed, so that threads can share it.

    network (torch.nn.Module): A model of the library `transformers`, without a head.
    tokenizer (str): Its tokenizer, as the library `tokenizers` writes it.
    configuration (Dict[str, Any]): The configuration as it is written in the checkpoint. What the library makes of it
        has other entries in other versions of the library.
    longest (int): How many pieces the tokenizer gives at most.
    padding (int): The piece that fills a batch.
    """

    def __init__(self, network: Any, tokenizer: str, configuration: dict[str, Any], longest: int, padding: int):
        from tokenizers import Tokenizer

        # versions of the library differ in what they make of weights in half precision
        self.network = _without_pooler(network).float().eval().requires_grad_(False)
        self.configuration = _safe(configuration)
        self._limit, self._padding = min(longest, LONGEST), padding
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._description = _description(self._tokenizer)
        self.fingerprint = _fingerprint(self)
        # once and for all, because another thread may use it at any time
        self._tokenizer.enable_truncation(self.longest)

    @property
    def width(self) -> int:
        """The width of a hidden state."""
        return self.network.config.hidden_size

    @property
    def depth(self) -> int:
        """The number of layers; hidden state 0 comes before the first."""
        return self.network.config.num_hidden_layers

    @property
    def longest(self) -> int:
        """The largest number of pieces that the network can read at once."""
        room = getattr(self.network.config, "max_position_embeddings", 512)
        if room < 0:  # XLNet, which has no limit
            return self._limit
        positions = getattr(getattr(self.network, "embeddings", None), "position_embeddings", None)
        # RoBERTa and its kin count positions from after that of the padding
        padding = getattr(positions, "padding_idx", None)
        return min(self._limit, room if padding is None else room - padding - 1)

    @classmethod
    def from_folder(cls, folder: str | Path) -> "Checkpoint":
        """Load a checkpoint from a folder, or by its name from the cache of the library `transformers` or its hub."""
        transformers = import_transformers()
        verbosity = transformers.logging.get_verbosity()
        try:
            settings = {"trust_remote_code": False}
            # a byte-level tokenizer reads single words only so
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, use_fast=True, add_prefix_space=True, **settings
            )
            transformers.logging.set_verbosity_error()  # the head of the checkpoint is not used, as it says
            with torch.device("cpu"):
                network = transformers.AutoModel.from_pretrained(folder, use_safetensors=True, **settings)
            configuration, _ = transformers.PretrainedConfig.get_config_dict(folder)
        except Exception as error:  # whatever the libraries make of missing and damaged files
            raise ValueError(Errors.DN027.format(name=folder, error=error)) from error
        finally:
            transformers.logging.set_verbosity(verbosity)
        if network.config.is_encoder_decoder:  # such as T5; the vectors of words are an encoder's
            raise ValueError(Errors.DN027.format(name=folder, error="it generates text; one that only reads is needed"))
        if not tokenizer.is_fast:
            raise ValueError(Errors.DN027.format(name=folder, error="it has no fast tokenizer, with a tokenizer.json"))
        text, longest = tokenizer.backend_tokenizer.to_str(), tokenizer.model_max_length
        return cls(network, text, configuration, longest, tokenizer.pad_token_id or 0)

    def encode(self, sentences: Sequence[Sequence[str]], layers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Compute the vectors of words: the mean of some layers, averaged over the pieces of a word.

        Sentences of like length are read together. What is longer than the network can read is read in parts.

        sentences (Sequence[Sequence[str]]): The sentences.
        layers (Sequence[int]): The layers, from 1; negative ones count from the last.
        YIELDS (Tuple[int, ndarray]): The number of a sentence and its vectors, (words, width), float32; every
            sentence once, in any order.
        """
        for start in range(0, len(sentences), TOKENIZED):
            chunk = [list(words) for words in sentences[start : start + TOKENIZED]]
            for i, vectors in self._encode(chunk, layers):
                yield start + i, vectors

    def _encode(self, sentences: list[list[str]], layers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        encodings = self._tokenizer.encode_batch(sentences, is_pretokenized=True)
        # a sentence that is too long has several parts
        parts = [(i, part) for i, encoding in enumerate(encodings) for part in (encoding, *encoding.overflowing)]
        parts_of = np.bincount([i for i, _ in parts], minlength=len(sentences))
        sums = {i: np.zeros((len(words), self.width + 1), np.float32) for i, words in enumerate(sentences)}
        lengths = np.array([len(part.ids) for _, part in parts])
        on_cpu = self.network.device.type == "cpu"
        for group in group_by_length(lengths, PADDED_PIECES if on_cpu else PADDED_PIECES_GPU):
            chosen = [parts[j] for j in group]
            for (i, part), vectors in zip(chosen, self._states([part.ids for _, part in chosen], layers), strict=True):
                words = np.array([-1 if word is None else word for word in part.word_ids])
                of_words = np.flatnonzero(words >= 0)  # not of special pieces
                np.add.at(sums[i][:, :-1], words[of_words], vectors[of_words])
                np.add.at(sums[i][:, -1], words[of_words], 1.0)
                parts_of[i] -= 1
                if parts_of[i] == 0:
                    # a word without a piece, such as a line break, stays zero
                    found = sums.pop(i)
                    yield i, found[:, :-1] / np.maximum(found[:, -1:], 1.0)

    def _states(self, rows: list[list[int]], layers: Sequence[int]) -> np.ndarray:
        """Read pieces: (parts, pieces, width), the mean of some layers."""
        device = self.network.device
        ids = np.full((len(rows), max(map(len, rows))), self._padding)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)], mask[i, : len(row)] = row, 1
        # whatever is set for the rest of the program
        with torch.no_grad(), torch.autocast(device.type, enabled=False), device:
            states = self.network(
                input_ids=torch.from_numpy(ids).to(device),
                attention_mask=torch.from_numpy(mask).to(device),
                output_hidden_states=True,
            ).hidden_states
            return torch.stack([states[layer] for layer in layers]).float().mean(0).cpu().numpy()

    def to_device(self, device: torch.device) -> None:
        """Move the network."""
        self.network.to(device)

    def to_bytes(self) -> bytes:
        """Serialize weights, tokenizer and configuration."""
        # tensors that share memory can't be saved
        weights = {name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()}
        message = {
            "configuration": json.dumps(self.configuration),  # not by srsly, which rounds numbers
            "tokenizer": self._description,
            "longest": self._limit,
            "padding": self._padding,
            "weights": safetensors.save(weights),
        }
        return srsly.msgpack_dumps(message)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Checkpoint":
        """Load what `to_bytes` made: in memory, without any file and without code that is not the library's."""
        transformers = import_transformers()
        message = srsly.msgpack_loads(data)
        configuration = _safe(json.loads(message["configuration"]))
        settings = {name: value for name, value in configuration.items() if name not in UNIMPORTANT}
        config = transformers.CONFIG_MAPPING[settings["model_type"]].from_dict(settings)
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):  # the weights that the network begins with
            network = _without_pooler(transformers.AutoModel.from_config(config, trust_remote_code=False))
        # versions of the library differ in what else they keep
        missing, _ = network.load_state_dict(safetensors.load(message["weights"]), strict=False)
        if missing := set(missing) & {name for name, _ in network.named_parameters()}:
            raise ValueError(f"no weights for {', '.join(sorted(missing))}")
        return cls(network, message["tokenizer"], configuration, message["longest"], message["padding"])


def _without_pooler(network: Any) -> Any:
    """Take away a layer that no vector of a word depends on, and that often is random."""
    if hasattr(network, "pooler"):
        network.pooler = None
    return network


def _safe(configuration: dict[str, Any]) -> dict[str, Any]:
    """Leave out what would make the library load more than the network."""
    return {
        name: _safe(value) if isinstance(value, dict) else value
        for name, value in configuration.items()
        if name not in UNSAFE and not name.startswith("_")
    }


def _fingerprint(checkpoint: Checkpoint) -> str:
    """Sum up all that the vectors depend on: weights, configuration and tokenizer. Raises DN072 if one is no number."""
    found = hashlib.blake2b(digest_size=16)
    settings = {name: value for name, value in checkpoint.configuration.items() if name not in UNIMPORTANT}
    found.update(json.dumps([settings, checkpoint.longest], sort_keys=True).encode())
    found.update(checkpoint._description.encode())
    for name, weights in sorted(checkpoint.network.state_dict().items()):
        if weights.is_floating_point():  # not positions, which some versions of the library keep
            if not weights.isfinite().all():
                raise ValueError(Errors.DN072.format(name=name))
            found.update(f"{name} {tuple(weights.shape)} {weights.dtype}".encode())
            found.update(weights.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def _description(tokenizer: Any) -> str:
    """Describe a tokenizer. Versions of the library `tokenizers` write the merges of BPE as strings or as pairs."""
    text = tokenizer.to_str()
    description = json.loads(text)
    if "merges" not in description["model"]:
        return text
    merges = description["model"]["merges"]
    description["model"]["merges"] = [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]
    return json.dumps(description)


def import_transformers() -> Any:
    """Import the library `transformers`. Raises DN028 if it is missing."""
    try:
        import transformers
    except ImportError as error:
        raise ImportError(Errors.DN028) from error
    return transformers
