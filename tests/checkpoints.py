"""A tiny transformer with random weights, made on the fly."""

import string
from pathlib import Path

import pytest
import torch

transformers = pytest.importorskip("transformers", reason="needs the extra: pip install spacy-datnet[transformers]")
pytest.importorskip("spacy_transformers", reason="needs the extra: pip install spacy-datnet[transformers]")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: E402

WIDTH, LAYERS, PIECES = 16, 3, 40
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = string.ascii_lowercase + string.digits + ".,"


def write_checkpoint(folder: Path, seed: int = 0, layers: int = LAYERS) -> Path:
    """Write a BERT that reads words letter by letter, at most 40 pieces at a time."""
    pieces = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=PIECES, **names)
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * WIDTH,
        max_position_embeddings=PIECES,
        initializer_range=0.5,
        # so that a training step can be repeated
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    fast.save_pretrained(folder)
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder
