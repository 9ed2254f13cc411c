"""Fixed word vectors as word features."""

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.vectors import Vectors
from util import SMALL_MODEL, entity_examples, train_briefly

from spacy_datnet.features.word_vectors import build_WordVectors, load_vectors
from spacy_datnet.models.batch import is_static
from spacy_datnet.nn.perturbation import LENGTH

TABLE = {"Madrid": [1.0, 2.0, 3.0], "vive": [4.0, 5.0, 6.0], "en": [7.0, 8.0, 9.0], "EN": [0.5, 0.5, 0.5]}
LAYER = {"@architectures": "spacy-datnet.WordVectors.v1"}


@pytest.fixture
def nlp():
    nlp = spacy.blank("es")
    table = np.array(list(TABLE.values()), dtype="f")  # without a row to spare
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=table, keys=list(TABLE))
    return nlp


def doc_of(nlp, text):
    return Doc(nlp.vocab, words=text.split())


def test_words_are_looked_up_as_written_then_in_lower_case(nlp):
    docs = [doc_of(nlp, "Vive En EN madrid"), doc_of(nlp, ""), doc_of(nlp, "MADRID Madrid Lima Lima")]
    features = build_WordVectors().predict(docs)
    nothing = [0.0, 0.0, 0.0]
    assert features[0].tolist() == [TABLE["vive"], TABLE["en"], TABLE["EN"], nothing]
    assert features[1].shape == (0, 3)
    assert features[2].tolist() == [nothing, TABLE["Madrid"], nothing, nothing]


def test_looking_up_unknown_words_changes_no_vector(nlp):
    before = nlp.vocab.vectors.data.copy()
    build_WordVectors().predict([doc_of(nlp, "Lima Quito")])
    np.testing.assert_array_equal(nlp.vocab.vectors.data, before)


def test_no_docs_give_no_features(nlp):
    assert build_WordVectors().predict([]) == []


def test_the_width_is_that_of_the_vectors(nlp):
    model = build_WordVectors()
    model.initialize(X=[doc_of(nlp, "Madrid")])
    assert model.get_dim("nO") == 3


def test_vectors_are_neither_trained_nor_saved(nlp):
    model = build_WordVectors()
    model.initialize(X=[doc_of(nlp, "Madrid")])
    features, backprop = model.begin_update([doc_of(nlp, "Madrid")])
    backprop(features)
    assert not model.param_names and not model.grad_names
    assert np.array(TABLE["Madrid"], dtype="f").tobytes() not in model.to_bytes()


def test_vectors_of_another_pipeline_are_loaded_once(nlp, tmp_path):
    nlp.to_disk(tmp_path / "vectors")
    other = spacy.blank("en")
    model = build_WordVectors(str(tmp_path / "vectors"))
    (features,) = model.predict([doc_of(other, "Vive Lima")])
    assert features.tolist() == [TABLE["vive"], [0.0, 0.0, 0.0]]
    assert load_vectors(str(tmp_path / "vectors")) is load_vectors(str(tmp_path / "vectors"))
    assert other.vocab.vectors.n_keys == 0


def test_floret_vectors_know_every_word():
    nlp = spacy.blank("es")
    rng = np.random.default_rng(0)
    nlp.vocab.vectors = Vectors(
        strings=nlp.vocab.strings,
        mode="floret",
        data=rng.normal(size=(50, 4)).astype("f"),
        minn=2,
        maxn=3,
        hash_count=2,
    )
    doc = doc_of(nlp, "Madrid Desconocida Madrid")
    model = build_WordVectors()
    model.initialize(X=[doc])
    (features,) = model.predict([doc])
    lengths = [np.linalg.norm(nlp.vocab[word].vector) for word in ("Madrid", "Desconocida")]
    np.testing.assert_allclose(features, [token.vector * LENGTH / np.mean(lengths) for token in doc], rtol=1e-5)


def floret_pipeline(path):
    nlp = spacy.blank("es")
    data = np.random.default_rng(0).normal(size=(50, 4)).astype("f")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, mode="floret", data=data, minn=2, maxn=3, hash_count=2)
    nlp.to_disk(path)
    return nlp


def test_floret_vectors_of_another_pipeline_know_words_it_never_saw(tmp_path):
    floret = floret_pipeline(tmp_path / "floret")
    doc = doc_of(spacy.blank("es"), "Palabra nunca vista")
    (features,) = build_WordVectors(str(tmp_path / "floret")).predict([doc])
    np.testing.assert_allclose(features, [floret.vocab[word.text].vector for word in doc], rtol=1e-6)


def test_vectors_that_were_written_again_are_read_again(tmp_path):
    doc = doc_of(spacy.blank("es"), "Madrid")
    for value in (1.0, 2.0):
        nlp = spacy.blank("es")
        nlp.vocab.set_vector("Madrid", np.full(3, value, dtype="f"))
        nlp.to_disk(tmp_path / "vectors")
        (features,) = build_WordVectors(str(tmp_path / "vectors")).predict([doc])
        assert features.tolist() == [[value] * 3]


def test_the_path_in_the_config_counts_and_not_a_saved_one(tmp_path):
    saved = build_WordVectors("old/path").to_bytes()
    with pytest.raises(ValueError, match=r"DN005.*new/path"):
        build_WordVectors("new/path").from_bytes(saved).predict([doc_of(spacy.blank("es"), "Madrid")])


def test_vectors_of_another_language_are_noticed():
    nlp = spacy.blank("es")
    nlp.vocab.set_vector("Madrid", np.ones(3, dtype="f"))
    with pytest.warns(UserWarning, match=r"DN052.*25 %"):
        build_WordVectors().initialize(X=[doc_of(nlp, "Madrid is so far")])


def test_a_pipeline_without_vectors_is_refused(tmp_path):
    nlp = spacy.blank("es")
    with pytest.raises(ValueError, match=r"DN004.*the pipeline"):
        build_WordVectors().initialize(X=[doc_of(nlp, "Madrid")])
    nlp.to_disk(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"DN004.*empty'"):
        build_WordVectors(str(tmp_path / "empty")).initialize(X=[doc_of(nlp, "Madrid")])


@pytest.mark.parametrize("name", ["nowhere/vectors", "no_such_package"])
def test_vectors_that_can_t_be_found_are_named(nlp, name):
    with pytest.raises(ValueError, match=f"DN005.*{name}"):
        build_WordVectors(name).initialize(X=[doc_of(nlp, "Madrid")])


def test_vectors_of_different_widths_are_refused(nlp, tmp_path):
    wide = spacy.blank("en")
    wide.vocab.set_vector("lives", np.ones(5, dtype="f"))
    wide.to_disk(tmp_path / "wide")
    config = {
        "tok2vec": {"@architectures": "spacy-datnet.WordVectors.v1"},
        "source_tok2vec": {
            "@architectures": "spacy-datnet.WordVectors.v1",
            "vectors": str(tmp_path / "wide"),
        },
    }
    pipe = nlp.add_pipe("datnet_ner", config={"model": config})
    assert is_static(pipe.model.get_ref("features"))
    with pytest.raises(ValueError, match=r"DN006.* 3 wide for the target and 5 wide for the source"):
        nlp.initialize(lambda: entity_examples(nlp.vocab))


def test_word_features_that_are_trained_are_not_static():
    assert not is_static(spacy.blank("es").add_pipe("datnet_ner").model.get_ref("features"))


@pytest.mark.parametrize("dtype", ["float16", "float64", "int8", "int64", "uint8", ">f4"])
def test_vectors_of_other_types_are_read_as_the_numbers_they_are(nlp, dtype):
    table = np.array([[1, 2, 3], [4, 5, 6]])
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=table.astype(dtype), keys=["Madrid", "vive"])
    (features,) = build_WordVectors().predict([doc_of(nlp, "Madrid vive Lima")])
    assert features.dtype == np.float32 and features.tolist() == [[1, 2, 3], [4, 5, 6], [0, 0, 0]]
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "tok2vec": LAYER}})
    train_briefly(nlp, entity_examples(nlp.vocab), 2)
    nlp("Ana vive en Madrid")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("source", [None, "elsewhere"])
def test_a_vector_that_is_no_number_is_named(nlp, tmp_path, value, source):
    nlp.vocab.vectors.data[1, 2] = value
    nlp.to_disk(tmp_path / "elsewhere")
    model = build_WordVectors(source and str(tmp_path / source))
    model.initialize(X=[doc_of(nlp, "Madrid en")])
    model.predict([doc_of(nlp, "Madrid en Lima")])  # its neighbours are right
    with pytest.raises(ValueError, match=r"DN075.*'Vive' in " + ((source and ".*elsewhere") or "the pipeline")):
        model.predict([doc_of(nlp, "Madrid en"), doc_of(nlp, "Lima Vive")])


def test_a_number_that_float32_can_t_hold(nlp):
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.full((1, 2), 1e300), keys=["Madrid"])
    with pytest.raises(ValueError, match=r"DN075.*'Madrid'"), np.errstate(over="ignore"):
        build_WordVectors().predict([doc_of(nlp, "Madrid")])


def test_vectors_that_are_no_numbers(nlp):
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.ones((1, 2), complex), keys=["Madrid"])
    with pytest.raises(ValueError, match=r"DN074.*complex128"):
        build_WordVectors().predict([doc_of(nlp, "Madrid")])


def test_vectors_of_width_0(nlp):
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=np.ones((1, 0), "f"), keys=["Madrid"])
    with pytest.raises(ValueError, match="DN004"):
        build_WordVectors().initialize(X=[doc_of(nlp, "Madrid")])
    with pytest.raises(ValueError, match="DN004"):
        build_WordVectors().predict([doc_of(nlp, "Madrid")])
