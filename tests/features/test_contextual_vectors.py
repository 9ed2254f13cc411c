"""Vectors of another encoder: from files, row by row, and from a function."""

from functools import partial

import numpy as np
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.tokens import Doc, DocBin
from spacy.util import load_model_from_config, registry
from thinc.api import Config
from util import SMALL_MODEL, entity_examples, train_briefly, write_docs

from spacy_datnet.features import contextual_vectors
from spacy_datnet.features.contextual_vectors import build_ContextualVectors
from spacy_datnet.pipeline.export import keep_encoder_only, keep_target_only, refuse_files_alone
from spacy_datnet.resources import SOURCE, resource_of

WIDTH = 4
# docs, some of several sentences; one sentence occurs twice
DOCS = [
    [["Ana", "vive", "aquí"], ["hoy", "llueve"]],
    [["el", "tren"]],
    [["hoy", "llueve"], ["Luis", "canta"], ["fin"]],
]


def make_doc(sentences, vocab, starts=True):
    words = [word for sentence in sentences for word in sentence]
    flags = [i == 0 for sentence in sentences for i in range(len(sentence))]
    return Doc(vocab, words=words, sent_starts=flags if starts else None)


@pytest.fixture(autouse=True)
def as_given(monkeypatch):
    """No change of length, so that numbers can be compared."""
    monkeypatch.setattr(contextual_vectors, "set_scale", lambda layer, vectors: None)


@pytest.fixture
def vocab():
    return spacy.blank("es").vocab


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(sum(map(len, doc)), WIDTH)).astype(np.float32) for doc in DOCS]


@pytest.fixture(params=["npy", "npz"])
def files(request, vocab, arrays, tmp_path):
    corpus = write_docs(tmp_path / "corpus.spacy", [make_doc(doc, vocab) for doc in DOCS])
    path = tmp_path / f"corpus.{request.param}"
    if request.param == "npy":
        np.save(path, np.concatenate(arrays))
    else:
        np.savez(path, *arrays)
    return {"corpora": [corpus], "arrays": [path]}


def flat_rows(arrays, doc, sentence):
    start = sum(map(len, DOCS[doc][:sentence]))
    return arrays[doc][start : start + len(DOCS[doc][sentence])]


def test_a_sentence_finds_its_rows_however_the_corpus_is_cut_and_shuffled(files, vocab, arrays):
    layer = build_ContextualVectors(**files)
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    assert layer.get_dim("nO") == WIDTH and layer.attrs["static"]
    docs = [
        make_doc([DOCS[2][1]], vocab, starts=False),  # one sentence alone
        make_doc(DOCS[1], vocab),
        make_doc(DOCS[0], vocab),  # both sentences
        Doc(vocab),
        make_doc(DOCS[2], vocab, starts=False),  # a whole doc that nobody cut
        make_doc([DOCS[2][0]], vocab),  # occurs twice: the first one stands for both
    ]
    found, backprop = layer(docs, True)
    expected = [flat_rows(arrays, 2, 1), arrays[1], arrays[0], np.zeros((0, WIDTH)), arrays[2], flat_rows(arrays, 0, 1)]
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)
    assert backprop(found) == []


def test_white_space_has_rows_in_the_file_and_none_in_a_sentence(vocab, tmp_path):
    words = ["Ana", "\n", "vive", "hoy", "\n"]
    DocBin(docs=[Doc(vocab, words=words, sent_starts=[True, False, False, True, False])]).to_disk(tmp_path / "a.spacy")
    rows = np.arange(5 * WIDTH, dtype=np.float32).reshape(5, WIDTH) + 1
    np.save(tmp_path / "a.npy", rows)
    layer = build_ContextualVectors(corpora=[tmp_path / "a.spacy"], arrays=[tmp_path / "a.npy"])
    doc = Doc(vocab, words=words)
    layer.initialize(X=[doc])
    (found,) = layer.predict([doc])
    assert_array_equal(found, rows * np.array([1, 0, 1, 1, 0])[:, None])
    (found,) = layer.predict([Doc(vocab, words=["hoy"])])
    assert_array_equal(found, rows[3:4])


def test_arrays_of_other_types_and_orders(vocab, arrays, tmp_path):
    corpus = write_docs(tmp_path / "corpus.spacy", [make_doc(doc, vocab) for doc in DOCS])
    np.savez(tmp_path / "a.npz", *(np.asfortranarray(array, dtype=np.float16) for array in arrays))
    layer = build_ContextualVectors([corpus], [tmp_path / "a.npz"])
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    for doc, array in zip(DOCS[:2], arrays, strict=False):
        (found,) = layer.predict([make_doc(doc, vocab)])
        assert found.dtype == np.float32
        assert_array_equal(found, array.astype(np.float16))


def encoder(sentences):
    """Each word is the number of its letters and its place."""
    return [np.array([[len(word), i, 1, 2] for i, word in enumerate(words)]) for words in sentences]


def test_what_is_in_no_file_is_given_to_the_function_once(files, vocab, arrays):
    asked = []

    def counting(sentences):
        asked.extend(sentences)
        return encoder(sentences)

    layer = build_ContextualVectors(**files, encoder=counting)
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    new = Doc(vocab, words=["nueva", "frase"])
    found = layer.predict([new, make_doc(DOCS[1], vocab), new])
    assert_array_equal(found[0], [[5, 0, 1, 2], [5, 1, 1, 2]])
    assert_array_equal(found[1], arrays[1])
    assert_array_equal(found[2], found[0])
    assert asked == [["nueva", "frase"]]


def test_the_function_alone(vocab):
    layer = build_ContextualVectors(encoder=encoder)
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    assert layer.get_dim("nO") == WIDTH
    assert_array_equal(layer.predict([Doc(vocab, words=["ab"])])[0], [[2, 0, 1, 2]])


def test_another_function_may_have_another_width_when_all_begins_anew(vocab):
    widths = [WIDTH]
    layer = build_ContextualVectors(encoder=lambda sentences: [np.ones((len(one), widths[-1])) for one in sentences])
    for width in (WIDTH, WIDTH + 1):
        widths.append(width)
        layer.initialize(X=[make_doc(DOCS[0], vocab)])
        assert layer.get_dim("nO") == layer.predict([make_doc(DOCS[1], vocab)])[0].shape[1] == width


def test_files_that_are_gone_leave_the_function(files, vocab):
    layer = build_ContextualVectors(**files, encoder=encoder)
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    files["arrays"][0].unlink()
    assert_array_equal(layer.predict([make_doc(DOCS[1], vocab)])[0], [[2, 0, 1, 2], [4, 1, 1, 2]])


def test_a_sentence_that_nobody_knows_is_named(files, vocab):
    layer = build_ContextualVectors(**files)
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    with pytest.raises(ValueError, match=r"DN036.*'una frase que nadie conoce aún …'"):
        layer.predict([Doc(vocab, words=["una", "frase", "que", "nadie", "conoce", "aún", "hoy"])])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda sentences: [], "DN037.*0 arrays for 1"),
        (
            lambda sentences: [np.zeros((len(words) + 1, WIDTH)) for words in sentences],
            r"DN038.*\(3, 4\).*'el tren'.*\(2",
        ),
        (lambda sentences: [np.zeros(len(words)) for words in sentences], r"DN038.*'el tren'"),
        (lambda sentences: [np.zeros((len(words), 3)) for words in sentences], r"DN038.*\(2, 3\).*\(2, 4\)"),
    ],
)
def test_what_the_function_gives_is_checked(function, message, vocab):
    def sometimes(sentences):
        return encoder(sentences) if sentences == [["ok"]] else function(sentences)

    layer = build_ContextualVectors(encoder=sometimes)
    layer.initialize(X=[Doc(vocab, words=["ok"])])
    with pytest.raises(ValueError, match=message):
        layer.predict([make_doc(DOCS[1], vocab)])


def initialize(corpus, array, vocab):
    build_ContextualVectors([corpus], [array]).initialize(X=[make_doc(DOCS[0], vocab)])


def test_rows_that_do_not_fit_the_corpus(vocab, arrays, tmp_path):
    corpus = write_docs(tmp_path / "c.spacy", [make_doc(doc, vocab) for doc in DOCS])
    np.save(tmp_path / "a.npy", np.concatenate(arrays)[1:])
    with pytest.raises(ValueError, match=r"DN035.*a.npy.*\(11, 4\).*12 tokens in 3 docs"):
        initialize(corpus, tmp_path / "a.npy", vocab)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: [arrays[0], arrays[1][:1], arrays[2]], r"DN041.*doc 1.*'el tren'.*\(1, 4\).*\(2, 4\)"),
        (lambda arrays: [*arrays[:2], arrays[2][:, :3]], r"DN041.*doc 2.*'hoy llueve Luis"),
        (lambda arrays: arrays[:2], "DN040.*arr_2"),
        (lambda arrays: [*arrays, arrays[0]], "DN040.*arr_3"),
    ],
)
def test_an_array_that_does_not_fit_its_doc_names_it(change, message, vocab, arrays, tmp_path):
    corpus = write_docs(tmp_path / "c.spacy", [make_doc(doc, vocab) for doc in DOCS])
    np.savez(tmp_path / "a.npz", *change(arrays))
    with pytest.raises(ValueError, match=message):
        initialize(corpus, tmp_path / "a.npz", vocab)


def test_a_file_that_holds_no_arrays_and_a_corpus_without_docs(files, vocab, tmp_path):
    for content in (b"", b"text", files["arrays"][0].read_bytes()[:-9]):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"DN040.*a\.npz"):
            initialize(files["corpora"][0], tmp_path / "a.npz", vocab)
    empty = write_docs(tmp_path / "empty.spacy", [Doc(vocab)])
    with pytest.raises(ValueError, match=r"DN109.*empty\.spacy"):
        initialize(empty, files["arrays"][0], vocab)


def test_docs_without_tokens_have_no_array(vocab, arrays, tmp_path):
    corpus = write_docs(tmp_path / "c.spacy", [make_doc(DOCS[0], vocab), Doc(vocab), make_doc(DOCS[1], vocab)])
    np.savez(tmp_path / "a.npz", arrays[0], arrays[1])
    layer = build_ContextualVectors([corpus], [tmp_path / "a.npz"])
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    assert_array_equal(layer.predict([make_doc(DOCS[1], vocab)])[0], arrays[1])


def test_files_of_different_widths(files, vocab, tmp_path):
    other = write_docs(tmp_path / "other.spacy", [make_doc(DOCS[1], vocab)])
    np.save(tmp_path / "other.npy", np.zeros((2, WIDTH + 1), np.float32))
    layer = build_ContextualVectors([*files["corpora"], other], [*files["arrays"], tmp_path / "other.npy"])
    with pytest.raises(ValueError, match=r"DN039.*5 wide.*4"):
        layer.initialize(X=[make_doc(DOCS[0], vocab)])


def test_files_that_are_replaced_after_the_training_by_wider_ones(files, vocab, arrays):
    layer = build_ContextualVectors(**files)
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    (path,) = files["arrays"]
    wide = [np.pad(array, ((0, 0), (0, 1))) for array in arrays]
    if path.suffix == ".npy":
        np.save(path, np.concatenate(wide))
    else:
        np.savez(path, *wide)
    with pytest.raises(ValueError, match=r"DN039.*5 wide.*in training, 4"):
        layer.predict([make_doc(DOCS[0], vocab)])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_names_the_file_and_the_sentence(files, vocab, arrays, value):
    arrays[2][1] = value
    (path,) = files["arrays"]
    if path.suffix == ".npy":
        np.save(path, np.concatenate(arrays))
    else:
        np.savez(path, *arrays)
    layer = build_ContextualVectors(
        **files, encoder=lambda sentences: [np.full((len(one), WIDTH), value) for one in sentences]
    )
    layer.initialize(X=[make_doc(DOCS[0], vocab)])
    assert np.isfinite(layer.predict([make_doc(DOCS[0], vocab)])[0]).all()
    with pytest.raises(ValueError, match=rf"DN047.*{path.name}.*'Luis canta|DN047.*{path.name}.*'hoy llueve"):
        layer.predict([make_doc(DOCS[2], vocab, starts=False)])
    with pytest.raises(ValueError, match=r"DN047.*encoder of ContextualVectors.*'nadie sabe'"):
        layer.predict([make_doc([["nadie", "sabe"]], vocab)])


def test_a_missing_file_and_an_array_too_few(files, vocab):
    with pytest.raises(ValueError, match="DN033"):
        build_ContextualVectors(files["corpora"], [])
    files["arrays"][0].unlink()
    with pytest.raises(ValueError, match="DN034"):
        initialize(files["corpora"][0], files["arrays"][0], vocab)


@registry.misc("test_encoder.v1")
def make_encoder():
    return encoder


CONFIG = """
[paths]
train = null
vectors = null

[nlp]
lang = "es"
pipeline = ["datnet_ner"]

[components]

[components.datnet_ner]
factory = "datnet_ner"

[components.datnet_ner.model]

[components.datnet_ner.model.tok2vec]
@architectures = "spacy-datnet.ContextualVectors.v1"
corpora = ["${paths.train}"]
arrays = ["${paths.vectors}"]
encoder = {"@misc":"test_encoder.v1"}
"""


def test_a_config_names_the_files_by_variables_and_the_function(files):
    overrides = {"paths.train": str(files["corpora"][0]), "paths.vectors": str(files["arrays"][0])}
    config = Config().from_str(CONFIG, overrides=overrides, interpolate=False)
    nlp = load_model_from_config(config, auto_fill=True)
    layer = nlp.get_pipe("datnet_ner").model.get_ref("tok2vec")
    layer.initialize(X=[make_doc(DOCS[0], nlp.vocab)])
    assert layer.get_dim("nO") == WIDTH


def test_a_pipeline_that_only_knows_files_is_not_exported(files):
    overrides = {"paths.train": str(files["corpora"][0]), "paths.vectors": str(files["arrays"][0])}
    with_function = load_model_from_config(Config().from_str(CONFIG, overrides=overrides), auto_fill=True)
    refuse_files_alone(with_function, with_function.component_names)
    config = Config().from_str(CONFIG.replace('{"@misc":"test_encoder.v1"}', "null"), overrides=overrides)
    nlp = load_model_from_config(config, auto_fill=True)
    for export in (keep_target_only, partial(keep_encoder_only, name="datnet_ner")):
        nlp.get_pipe("datnet_ner").initialize(lambda: entity_examples(nlp.vocab))
        with pytest.raises(ValueError, match=r"DN046.*'datnet_ner'"):
            export(nlp)


def test_files_of_the_source_alone_end_with_the_training(tmp_path):
    nlp = spacy.blank("es")
    examples = entity_examples(nlp.vocab)
    source = [example.reference for example in examples if resource_of(example) == SOURCE]
    np.save(tmp_path / "source.npy", np.ones((sum(map(len, source)), WIDTH), np.float32))
    of_source = {"corpora": [str(write_docs(tmp_path / "s.spacy", source))], "arrays": [str(tmp_path / "source.npy")]}
    layer = {"@architectures": "spacy-datnet.ContextualVectors.v1"}
    layers = {"tok2vec": {**layer, "encoder": {"@misc": "test_encoder.v1"}}, "source_tok2vec": {**layer, **of_source}}
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, **layers}})
    train_briefly(nlp, examples, 20)
    words = [[token.text for token in example.reference] for example in examples]
    before = [[(ent.start, ent.end) for ent in nlp(Doc(nlp.vocab, words=sentence)).ents] for sentence in words]
    assert keep_target_only(nlp) == ["datnet_ner"]
    nlp.to_disk(tmp_path / "exported")
    (tmp_path / "source.npy").unlink()
    loaded = spacy.load(tmp_path / "exported")
    after = [[(ent.start, ent.end) for ent in loaded(Doc(loaded.vocab, words=sentence)).ents] for sentence in words]
    assert after == before and any(after)
