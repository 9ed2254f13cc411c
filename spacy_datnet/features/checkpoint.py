"""A pre-trained transformer that only reads: words of sentences to vectors, and the bytes it is saved as."""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import srsly
import torch
from thinc.api import get_torch_default_device
from thinc.shims import Shim

from ..errors import Errors
from .layout import group_by_length

# sentences are read in groups of so many padded pieces: few stay in the caches of a CPU, many fill a GPU
PADDED_PIECES = 1024
PADDED_PIECES_GPU = 16384
# sentences are cut into pieces of words in groups of so many
TOKENIZED = 1024
CONFIGURATION = "config.json"
# what a configuration says about the file it comes from, and not about the network
UNIMPORTANT = {"architectures", "transformers_version", "torch_dtype", "dtype", "use_cache"}

_loaded: WeakValueDictionary[str, "Checkpoint"] = WeakValueDictionary()


class Checkpoint:
    """A transformer with its tokenizer, never trained.

    network (torch.nn.Module): A model of the library `transformers`, without a head.
    tokenizer (Any): Its tokenizer, a fast one.
    configuration (Dict[str, Any]): The configuration as it is written in the checkpoint. What the library makes of it
        has other entries in other versions of the library.
    """

    def __init__(self, network: torch.nn.Module, tokenizer: Any, configuration: dict[str, Any]):
        if hasattr(network, "pooler"):
            network.pooler = None  # no vector of a word depends on it, and it often is random
        # versions of the library differ in what they make of weights in half precision
        self.network = network.float().eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.configuration = {name: value for name, value in configuration.items() if not name.startswith("_")}
        self.fingerprint = _fingerprint(self)

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
            return self.tokenizer.model_max_length
        positions = getattr(getattr(self.network, "embeddings", None), "position_embeddings", None)
        # RoBERTa and its kin count positions from behind that of the padding
        padding = getattr(positions, "padding_idx", None)
        return min(self.tokenizer.model_max_length, room if padding is None else room - padding - 1)

    @classmethod
    def from_folder(cls, folder: str | Path) -> "Checkpoint":
        """Load a checkpoint from a folder, or by its name from the cache of the library `transformers` or its hub."""
        transformers = import_transformers()
        try:
            # a byte-level tokenizer reads single words only so
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True, add_prefix_space=True)
            with _silence(transformers):
                network = transformers.AutoModel.from_pretrained(folder)
            configuration, _ = transformers.PretrainedConfig.get_config_dict(folder)
        except Exception as error:  # whatever the libraries make of missing and damaged files
            raise ValueError(Errors.DN027.format(name=folder, error=error)) from error
        if network.config.is_encoder_decoder:  # such as T5; the vectors of words are an encoder's
            raise ValueError(Errors.DN027.format(name=folder, error="it generates text; one that only reads is needed"))
        if not tokenizer.is_fast:
            raise ValueError(Errors.DN027.format(name=folder, error="it has no fast tokenizer, with a tokenizer.json"))
        return cls(network, tokenizer, configuration)

    def encode(self, sentences: Sequence[Sequence[str]], layers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Compute the vectors of words: the mean of some layers, averaged over the pieces of a word.

        Sentences of like length are read together. What is longer than the network can read is read in parts.

        sentences (Sequence[Sequence[str]]): The sentences.
        layers (Sequence[int]): The layers, from 1; negative ones count from the last.
        YIELDS (Tuple[int, ndarray]): The number of a sentence and its vectors, (words, width), float32; every
            sentence once, in any order.
        """
        for start in range(0, len(sentences), TOKENIZED):
            chunk = sentences[start : start + TOKENIZED]
            for i, vectors in self._encode(chunk, layers):
                yield start + i, vectors

    @torch.no_grad()
    def _encode(self, sentences: Sequence[Sequence[str]], layers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        pieces = self.tokenizer(
            [list(words) for words in sentences],
            is_split_into_words=True,
            truncation=True,
            max_length=self.longest,
            return_overflowing_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
        )
        # a sentence that is too long has several parts; (sentence, piece ids, word of each piece)
        owners = pieces["overflow_to_sample_mapping"]
        parts_of = np.bincount(owners, minlength=len(sentences))
        sums = {i: np.zeros((len(words), self.width + 1), np.float32) for i, words in enumerate(sentences)}
        device = self.network.device
        lengths = np.array([len(ids) for ids in pieces["input_ids"]])
        for group in group_by_length(lengths, PADDED_PIECES if device.type == "cpu" else PADDED_PIECES_GPU):
            longest = lengths[group].max()
            ids = np.full((len(group), longest), self.tokenizer.pad_token_id or 0)
            mask = np.zeros((len(group), longest), np.int64)
            for row, part in enumerate(group):
                ids[row, : lengths[part]] = pieces["input_ids"][part]
                mask[row, : lengths[part]] = 1
            states = self.network(
                input_ids=torch.from_numpy(ids).to(device),
                attention_mask=torch.from_numpy(mask).to(device),
                output_hidden_states=True,
            ).hidden_states
            mean = torch.stack([states[layer] for layer in layers]).float().mean(0)  # (parts, pieces, width)
            for part, vectors in zip(group, mean.cpu().numpy(), strict=True):
                i = owners[part]
                words = np.array([-1 if word is None else word for word in pieces.word_ids(part)])
                of_words = np.flatnonzero(words >= 0)  # not of special pieces
                np.add.at(sums[i][:, :-1], words[of_words], vectors[of_words])
                np.add.at(sums[i][:, -1], words[of_words], 1.0)
                parts_of[i] -= 1
                if parts_of[i] == 0:
                    # a word without a piece, such as a line break, stays zero
                    found = sums.pop(i)
                    yield i, found[:, :-1] / np.maximum(found[:, -1:], 1.0)

    def to_device(self, device: torch.device) -> None:
        """Move the network."""
        self.network.to(device)

    def to_bytes(self) -> bytes:
        """Serialize the files of the checkpoint: configuration, weights and tokenizer."""
        _forget_truncation(self.tokenizer)
        with tempfile.TemporaryDirectory() as folder:
            self.network.save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
            # not by srsly, which rounds numbers
            (Path(folder) / CONFIGURATION).write_text(json.dumps(self.configuration))
            files = {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}
        return srsly.msgpack_dumps(files)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Checkpoint":
        """Load what `to_bytes` made."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in srsly.msgpack_loads(data).items():
                (Path(folder) / name).write_bytes(content)
            return cls.from_folder(folder)


def _fingerprint(checkpoint: Checkpoint) -> str:
    """Sum up all that the vectors depend on: weights, configuration and tokenizer."""
    found = hashlib.blake2b(digest_size=16)
    settings = {name: value for name, value in checkpoint.configuration.items() if name not in UNIMPORTANT}
    found.update(json.dumps([settings, checkpoint.longest], sort_keys=True).encode())
    _forget_truncation(checkpoint.tokenizer)
    found.update(_description(checkpoint.tokenizer.backend_tokenizer).encode())
    for name, weights in sorted(checkpoint.network.state_dict().items()):
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


def _forget_truncation(tokenizer: Any) -> None:
    """Take away what a call leaves in a tokenizer and would be saved with it."""
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()


def load_checkpoint(name: str) -> Checkpoint:
    """Load a checkpoint once per process and version of its files.

    name (str): A folder, or a name on the hub.
    RETURNS (Checkpoint): The checkpoint, on Thinc's default device.
    """
    files = Path(name).glob("*") if Path(name).is_dir() else ()
    version = tuple(sorted((file.name, file.stat().st_mtime_ns) for file in files))
    return _load_checkpoint(name, version)


@lru_cache(maxsize=2)
def _load_checkpoint(name: str, version: tuple) -> Checkpoint:
    checkpoint = Checkpoint.from_folder(name)
    return _loaded.setdefault(checkpoint.fingerprint, checkpoint)


def import_transformers() -> Any:
    """Import the library `transformers`. Raises DN028 if it is missing."""
    try:
        import transformers
    except ImportError as error:
        raise ImportError(Errors.DN028) from error
    return transformers


@contextlib.contextmanager
def _silence(transformers: Any) -> Iterator[None]:
    """Hide the warning that the head of the checkpoint is not used."""
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)


class CheckpointShim(Shim):
    """Hold a checkpoint for a Thinc model, and decide what is saved of it.

    Layers that are copied, and those of several components with equal checkpoints, share one network: it never changes.

    name (str): Where the checkpoint comes from as long as none was loaded with the pipeline.
    save (bool): Whether to save the checkpoint itself; otherwise only its fingerprint.
    """

    def __init__(self, name: str, *, save: bool):
        super().__init__(None)
        self.name = name
        self.save = save
        self._expected: str | None = None  # the fingerprint of a checkpoint that was not saved

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint, loaded when it is first asked for. Raises DN029 if it is another one than in training."""
        if self._model is None:
            found = load_checkpoint(self.name)
            if self._expected not in (None, found.fingerprint):
                raise ValueError(Errors.DN029.format(name=self.name))
            found.to_device(get_torch_default_device())
            self._model = found
        return self._model

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the checkpoint; None if there was none yet."""
        return self._expected if self._model is None else self._model.fingerprint

    def finish_update(self, optimizer: Any) -> None:
        """Do nothing: a checkpoint is not trained."""

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the network."""
        if self._model is not None:
            self._model.to_device(torch.device("cpu" if device_type == "cpu" else f"cuda:{device_id}"))

    def __deepcopy__(self, memo: dict) -> "CheckpointShim":
        copied = CheckpointShim(self.name, save=self.save)
        copied._model, copied._expected = self._model, self._expected
        return copied

    def to_bytes(self) -> bytes:
        """Serialize the fingerprint, and the checkpoint if it shall travel with the pipeline."""
        known = self.fingerprint
        files = self.checkpoint.to_bytes() if self.save and known is not None else None
        return srsly.msgpack_dumps({"fingerprint": known, "files": files})

    def from_bytes(self, bytes_data: bytes) -> "CheckpointShim":
        """Load what `to_bytes` made; a checkpoint that the process has already is shared."""
        message = srsly.msgpack_loads(bytes_data)
        self._expected, self._model = message["fingerprint"], None
        if message["files"] is not None:
            found = _loaded.get(self._expected)
            if found is None:
                found = Checkpoint.from_bytes(message["files"])
                _loaded[found.fingerprint] = found
            found.to_device(get_torch_default_device())
            self._model = found
        return self
