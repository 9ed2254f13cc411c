"""A frozen transformer as words go in and vectors come out, against the library `transformers` used plainly."""

import contextlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
import srsly
import torch
from checkpoints import LAYERS, PIECES, WIDTH, transformers, write_checkpoint
from numpy.testing import assert_allclose
from safetensors import torch as safetensors
from tokenizers import Tokenizer, models

from spacy_datnet.features import checkpoint_shim
from spacy_datnet.features.checkpoint import Checkpoint, _description
from spacy_datnet.features.checkpoint_shim import CheckpointShim, load_checkpoint

SENTENCES = [("ana", "vive", "en", "madrid"), ("hoy",), ("a\nb", "\n", "¿", "é"), ("el", "tren", "va")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


def encode(checkpoint, sentences, layers):
    found = dict(checkpoint.encode(sentences, layers))
    assert sorted(found) == list(range(len(sentences)))
    return [found[i] for i in range(len(sentences))]


def plainly(folder, pieces_of_words, layers):
    """The vectors of one sentence, from the pieces of each word."""

    network = transformers.BertModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer.convert_tokens_to_ids(piece) for word in pieces_of_words for piece in word]
    with torch.no_grad():
        states = network(torch.tensor([[2, *ids, 3]]), output_hidden_states=True).hidden_states
    states = sum(states[layer][0, 1:-1] for layer in layers) / len(layers)
    parts = states.split([len(word) for word in pieces_of_words])
    return torch.stack([part.mean(0) if len(part) else torch.zeros(WIDTH) for part in parts]).numpy()


@pytest.mark.parametrize("layers", [(-1,), (1, 3), (1, 2, 3)])
def test_a_word_is_the_mean_of_its_pieces_and_of_the_layers(folder, layers):
    pieces = [
        [["a", "##n", "##a"], ["v", "##i", "##v", "##e"], ["e", "##n"], ["m", "##a", "##d", "##r", "##i", "##d"]],
        [["h", "##o", "##y"]],
        # a line break within a word divides it, one alone has no pieces; other signs are unknown
        [["a", "b"], [], ["[UNK]"], ["e"]],
        [["e", "##l"], ["t", "##r", "##e", "##n"], ["v", "##a"]],
    ]
    for found, words in zip(encode(load_checkpoint(str(folder)), SENTENCES, layers), pieces, strict=True):
        assert found.dtype == np.float32
        assert_allclose(found, plainly(folder, words, layers), atol=1e-5)


def test_many_sentences_are_read_in_groups(folder, monkeypatch):
    monkeypatch.setattr("spacy_datnet.features.checkpoint.PADDED_PIECES", 30)
    monkeypatch.setattr("spacy_datnet.features.checkpoint.TOKENIZED", 3)
    checkpoint = load_checkpoint(str(folder))
    for found, sentence in zip(encode(checkpoint, SENTENCES * 3, [2]), SENTENCES * 3, strict=True):
        assert_allclose(found, encode(checkpoint, [sentence], [2])[0], atol=1e-5)


def test_a_long_sentence_is_read_in_parts(folder):
    checkpoint = load_checkpoint(str(folder))
    room = PIECES - 2
    words = list("abcdefghij" * 9)  # one piece each
    (found,) = encode(checkpoint, [words], [3])
    for start in range(0, len(words), room):
        assert_allclose(found[start : start + room], plainly(folder, words[start : start + room], [3]), atol=1e-5)
    # a word across the border of two parts is the mean of all its pieces
    words = ["a"] * (room - 1) + ["bcd"]
    first = plainly(folder, [["a"]] * (room - 1) + [["b"]], [3])[-1]
    second = plainly(folder, [["##c", "##d"]], [3])[-1]
    assert_allclose(encode(checkpoint, [words], [3])[0][-1], (first + 2 * second) / 3, atol=1e-5)


def test_positions_behind_those_of_padding_are_not_exceeded(folder, tmp_path):
    """RoBERTa has fewer places than it has positions; a tokenizer need not know."""

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.model_max_length = 10**30
    tokenizer.save_pretrained(tmp_path)
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=12, pad_token_id=1, **sizes)
    transformers.RobertaModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    checkpoint = Checkpoint.from_folder(tmp_path)
    assert checkpoint.longest == 10
    (found,) = encode(checkpoint, [["a"] * 17], [1])
    assert_allclose(found[:8], encode(checkpoint, [["a"] * 8], [1])[0], atol=1e-5)
    assert_allclose(found[16], encode(checkpoint, [["a"]], [1])[0][0], atol=1e-5)


def test_the_fingerprint_is_that_of_weights_and_tokenizer(folder, tmp_path):
    checkpoint = load_checkpoint(str(folder))
    encode(checkpoint, SENTENCES, [1])
    again = Checkpoint.from_folder(folder)
    assert again is not checkpoint and again.fingerprint == checkpoint.fingerprint
    assert Checkpoint.from_bytes(checkpoint.to_bytes()).fingerprint == checkpoint.fingerprint
    other = Checkpoint.from_folder(write_checkpoint(tmp_path / "seed", seed=1))
    assert other.fingerprint != checkpoint.fingerprint
    config = write_checkpoint(tmp_path / "settings") / "config.json"
    config.write_text(
        config.read_text().replace('"type_vocab_size"', '"chunk_size_feed_forward": 3, "type_vocab_size"')
    )
    assert Checkpoint.from_folder(config.parent).fingerprint != checkpoint.fingerprint
    text = (folder / "tokenizer.json").read_text()
    for path in write_checkpoint(tmp_path / "cased").glob("tokenizer.json"):
        path.write_text(text.replace('"lowercase": true', '"lowercase": false'))
    assert Checkpoint.from_folder(tmp_path / "cased").fingerprint != checkpoint.fingerprint


def test_the_fingerprint_does_not_depend_on_the_version_of_the_library(folder, monkeypatch):
    checkpoint = Checkpoint.from_folder(folder)
    data = checkpoint.to_bytes()
    to_dict = transformers.BertConfig.to_dict
    monkeypatch.setattr(
        transformers.BertConfig, "to_dict", lambda self: {**to_dict(self), "new_in_this_version": False}
    )
    assert "new_in_this_version" in checkpoint.network.config.to_diff_dict()
    for later in (Checkpoint.from_folder(folder), Checkpoint.from_bytes(data)):
        assert later.fingerprint == checkpoint.fingerprint
        assert Checkpoint.from_bytes(later.to_bytes()).fingerprint == checkpoint.fingerprint


def test_the_fingerprint_does_not_depend_on_how_merges_are_written():
    tokenizer = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    written = json.loads(tokenizer.to_str())

    def described(merges):
        written["model"]["merges"] = merges
        return _description(SimpleNamespace(to_str=lambda: json.dumps(written)))

    assert described(["a b"]) == described([["a", "b"]]) == _description(tokenizer)
    assert described(["b a"]) != described(["a b"])


def test_a_network_without_a_limit_reads_what_its_tokenizer_reads(folder):
    checkpoint = Checkpoint.from_folder(folder)
    checkpoint.network.config.max_position_embeddings = -1  # as XLNet says it
    assert checkpoint.longest == PIECES


def test_weights_in_half_precision_are_read_as_the_numbers_they_are(folder, tmp_path):
    checkpoint = Checkpoint.from_folder(write_checkpoint(tmp_path / "half"))
    checkpoint.network.half().save_pretrained(tmp_path / "half")
    half = Checkpoint.from_folder(tmp_path / "half")
    assert {weights.dtype for weights in half.network.parameters()} == {torch.float32}
    assert half.fingerprint == Checkpoint.from_bytes(half.to_bytes()).fingerprint


def test_a_checkpoint_is_loaded_once_while_its_files_stay(tmp_path):
    folder = write_checkpoint(tmp_path / "checkpoint")
    first = load_checkpoint(str(folder))
    assert load_checkpoint(str(folder)) is first
    write_checkpoint(folder, seed=1)
    assert load_checkpoint(str(folder)).fingerprint != first.fingerprint


def shim_of(folder, **settings):
    shim = CheckpointShim(str(folder), **{"save": True, **settings})
    assert shim.checkpoint.depth == LAYERS
    return shim


def test_a_saved_checkpoint_loads_without_its_folder(tmp_path):
    folder = write_checkpoint(tmp_path / "checkpoint", seed=7)
    shim = shim_of(folder)
    expected, data, fingerprint = encode(shim.checkpoint, SENTENCES, [2]), shim.to_bytes(), shim.fingerprint
    folder.rename(tmp_path / "hidden")
    loaded = CheckpointShim("nowhere", save=True).from_bytes(data)
    assert loaded.checkpoint is shim.checkpoint  # one network for both
    del shim, loaded
    checkpoint_shim._load_checkpoint.cache_clear()
    loaded = CheckpointShim("nowhere", save=True).from_bytes(data)
    assert loaded.fingerprint == fingerprint
    for found, vectors in zip(encode(loaded.checkpoint, SENTENCES, [2]), expected, strict=True):
        assert_allclose(found, vectors, atol=1e-6)


def test_a_checkpoint_that_is_not_saved_must_be_the_same_later(tmp_path):
    folder = write_checkpoint(tmp_path / "checkpoint")
    data = shim_of(folder, save=False).to_bytes()
    assert len(data) < 100
    assert CheckpointShim(str(folder), save=False).from_bytes(data).checkpoint.width == WIDTH
    write_checkpoint(folder, seed=1)
    with pytest.raises(ValueError, match="DN029"):
        CheckpointShim(str(folder), save=False).from_bytes(data).checkpoint.width  # noqa: B018


def test_copies_share_the_network_and_what_is_pickled_does_not(folder):
    shim = shim_of(folder)
    assert deepcopy(shim).checkpoint is shim.checkpoint
    other = pickle.loads(pickle.dumps(shim))
    assert other.fingerprint == shim.fingerprint
    assert_allclose(encode(other.checkpoint, SENTENCES, [1])[0], encode(shim.checkpoint, SENTENCES, [1])[0], atol=1e-6)


@pytest.fixture
def message(tmp_path):
    """What a pipeline with a checkpoint carries that this process does not know."""
    shim = shim_of(write_checkpoint(tmp_path / "saved", seed=23))
    message = srsly.msgpack_loads(shim.to_bytes())
    checkpoint_shim._load_checkpoint.cache_clear()
    return {**message, "checkpoint": srsly.msgpack_loads(message["checkpoint"])}


def load_message(message):
    data = srsly.msgpack_dumps({**message, "checkpoint": srsly.msgpack_dumps(message["checkpoint"])})
    return CheckpointShim("nowhere", save=True).from_bytes(data)


LOAD = """
import sys, tempfile
from pathlib import Path
import torch, transformers, safetensors.torch, tokenizers
from spacy_datnet.features.checkpoint_shim import CheckpointShim
torch.manual_seed(0)
transformers.AutoModel.from_config(transformers.BertConfig(
    vocab_size=5, hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=4))  # lazy imports
written, random = [], torch.get_rng_state()

def watch(event, args):
    if event == "open" and (args[1] and set(args[1]) & set("wax+") or args[2] & 3):
        written.append(args)
    if event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "subprocess.Popen", "os.system", "socket.connect"):
        written.append((event, args))

files = [Path(name) for name in sys.argv[1:]]
contents = [file.read_bytes() for file in files]
sys.addaudithook(watch)
for file, data in zip(files, contents):
    try:
        CheckpointShim("nowhere", save=True).from_bytes(data)
        print(file.name, "loaded")
    except ValueError as error:
        print(file.name, " ".join(str(error).split()))
    assert not written, (file, written)
    assert torch.equal(random, torch.get_rng_state()), f"{file}: loading draws random numbers"
    assert "evil" not in sys.modules, file
"""
EVIL = b"open('evil_was_here', 'w').close()"


def files_below(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


CHANGES = [
    ({}, "loaded"),
    ({"files": {"../evil.py": EVIL}, "../evil.py": EVIL, "/tmp/evil.py": EVIL, "evil.py": EVIL}, "loaded"),
    ({"configuration": {"auto_map": {"AutoModel": "evil--evil.Evil", "AutoConfig": "evil.Evil"}}}, "loaded"),
    ({"configuration": {"_name_or_path": "../evil", "attn_implementation": "evil/evil"}}, "loaded"),
    ({"configuration": {"_attn_implementation_internal": "evil/evil", "quantization_config": {}}}, "loaded"),
    ({"configuration": {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}}}, "DN073"),
    ({"configuration": {"model_type": "../evil"}}, "DN073"),
    ({"configuration": {"hidden_size": 8}}, "DN073"),
    ({"weights": "pickle"}, "DN073"),
    ({"weights": b""}, "DN073"),
    ({"tokenizer": "../evil.json"}, "DN073"),
    ({"tokenizer": None}, "DN073"),
    ({"longest": 7}, "DN073.*fingerprint"),
    ("a list", "DN073"),
]


def changed(message, change):
    """The bytes of a checkpoint that was tampered with."""
    checkpoint = message["checkpoint"]
    if isinstance(change, str):
        checkpoint = [change]
    else:
        configuration = json.loads(checkpoint["configuration"])
        change = {**change, "configuration": json.dumps({**configuration, **change.get("configuration", {})})}
        if change.get("weights") == "pickle":
            file = io.BytesIO()
            torch.save({"x": torch.zeros(1)}, file)
            change["weights"] = file.getvalue()
        checkpoint = {**checkpoint, **change}
    return srsly.msgpack_dumps({**message, "checkpoint": srsly.msgpack_dumps(checkpoint)})


def test_what_a_pipeline_carries_writes_no_file_and_runs_no_code(message, tmp_path):
    files = [tmp_path / f"data{i}" for i in range(len(CHANGES))]
    for file, (change, _) in zip(files, CHANGES, strict=True):
        file.write_bytes(changed(message, change))
    (tmp_path / "work" / "here").mkdir(parents=True)
    (tmp_path / "work" / "here" / "evil.py").write_bytes(EVIL)
    before = files_below(tmp_path)
    env = {**os.environ, "TMPDIR": str(tmp_path), "HF_HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, files)],
        cwd=tmp_path / "work" / "here",
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("data")]
    assert len(lines) == len(CHANGES), done.stdout
    for i, (line, (_, result)) in enumerate(zip(lines, CHANGES, strict=True)):
        assert re.fullmatch(rf"data{i} .*{result}.*", line), line
    assert files_below(tmp_path) == before


def test_weights_that_were_changed_are_refused(message):
    for place in (-1, -1001, -5000):
        weights = bytearray(message["checkpoint"]["weights"])
        weights[place] ^= 1
        with pytest.raises(ValueError, match=r"DN073.*fingerprint"):
            load_message({**message, "checkpoint": {**message["checkpoint"], "weights": bytes(weights)}})
    assert load_message(message).checkpoint.width == WIDTH


def test_bytes_that_are_cut_or_no_message(message):
    data = srsly.msgpack_dumps({**message, "checkpoint": srsly.msgpack_dumps(message["checkpoint"])})
    for wrong in (b"", b"\x00", data[:100], data[:-100], b"garbage" * 99):
        with pytest.raises(ValueError, match="DN073"):
            CheckpointShim("nowhere", save=True).from_bytes(wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(message, value, tmp_path):
    weights = safetensors.load(message["checkpoint"]["weights"])
    name = sorted(weights)[3]
    weights[name].view(-1)[0] = float(value)
    message["checkpoint"]["weights"] = safetensors.save(weights)
    with pytest.raises(ValueError, match=rf"DN073.*DN072.*{name}"):
        load_message(message)
    weights = safetensors.load((tmp_path / "saved" / "model.safetensors").read_bytes())
    weights[name].view(-1)[0] = float(value)
    (tmp_path / "saved" / "model.safetensors").write_bytes(safetensors.save(weights, {"format": "pt"}))
    with pytest.raises(ValueError, match=rf"DN072.*{name}"):
        load_checkpoint(str(tmp_path / "saved"))


def test_weights_in_pickles_are_refused(tmp_path):
    write_checkpoint(tmp_path)
    weights = safetensors.load((tmp_path / "model.safetensors").read_bytes())
    (tmp_path / "model.safetensors").unlink()
    torch.save(weights, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"DN027.*safetensors"):
        load_checkpoint(str(tmp_path))


def test_code_in_a_folder_is_not_run(tmp_path):
    config = json.loads((write_checkpoint(tmp_path) / "config.json").read_text())
    config |= {"auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    assert load_checkpoint(str(tmp_path)).width == WIDTH
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "evil"}))
    with pytest.raises(ValueError, match="DN027"):
        load_checkpoint(str(tmp_path))


def test_saving_while_another_thread_reads(folder):
    checkpoint = Checkpoint.from_folder(folder)
    expected, data = encode(checkpoint, SENTENCES, [2]), checkpoint.to_bytes()
    long = [["a"] * 100, *SENTENCES]  # needs truncation

    def read():
        for _ in range(100):
            for found, vectors in zip(encode(checkpoint, long, [2])[1:], expected, strict=True):
                assert_allclose(found, vectors, atol=1e-5)

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        while not all(reader.done() for reader in readers):
            assert checkpoint.to_bytes() == data
        for reader in readers:
            reader.result()


@contextlib.contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "setting",
    [
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.device("meta"),
        default_dtype,
        torch.inference_mode,
        torch.no_grad,
        lambda: torch.set_grad_enabled(True),
    ],
    ids=["autocast", "device", "dtype", "inference", "no gradients", "gradients"],
)
def test_what_other_libraries_set_for_the_whole_program_changes_nothing(folder, message, setting):
    checkpoint = Checkpoint.from_folder(folder)
    expected = encode(checkpoint, SENTENCES, [1, 3])
    with setting():
        for one in (checkpoint, Checkpoint.from_folder(folder), Checkpoint.from_bytes(checkpoint.to_bytes())):
            assert one.fingerprint == checkpoint.fingerprint
            for found, vectors in zip(encode(one, SENTENCES, [1, 3]), expected, strict=True):
                assert_allclose(found, vectors, atol=1e-6)


def test_a_shim_without_a_checkpoint_is_saved_as_such():
    shim = CheckpointShim("nowhere", save=True)
    assert CheckpointShim("nowhere", save=True).from_bytes(shim.to_bytes()).fingerprint is None


@pytest.mark.parametrize("name", ["empty", "missing", "cut"])
def test_a_folder_without_a_checkpoint(name, tmp_path):
    (tmp_path / "empty").mkdir()
    weights = write_checkpoint(tmp_path / "cut") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match="DN027"):
        load_checkpoint(str(tmp_path / name))


def test_the_library_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    import spacy

    with pytest.raises(ImportError, match=r"DN028.*spacy-datnet\[transformers\]"):
        spacy.registry.architectures.get("spacy-datnet.FrozenTransformer.v1")(name="x")


def test_a_checkpoint_that_generates_text(tmp_path):
    write_checkpoint(tmp_path)
    config = transformers.T5Config(
        vocab_size=80, d_model=8, d_ff=8, num_layers=1, num_heads=1, d_kv=8, decoder_start_token_id=0
    )
    transformers.T5Model(config).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"DN027.*generates text"):
        Checkpoint.from_folder(tmp_path)
