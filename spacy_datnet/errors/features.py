"""Messages of word features: vectors, transformers and their stores."""


class Errors:
    """Messages of exceptions."""

    DN004 = (
        "There are no word vectors in {where}. Set `vectors` in [initialize], name a pipeline with vectors in the "
        'WordVectors block, or train word features with the block @architectures = "spacy.MultiHashEmbed.v2".'
    )
    DN005 = (
        "The word vectors '{name}' can't be loaded: {error}. Give the path or the package of a pipeline; "
        "`spacy init vectors` makes one from a text file."
    )
    DN027 = (
        "The transformer '{name}' can't be loaded: {error}. Give the folder of a checkpoint, with a config.json and a "
        "tokenizer.json, or its name on the hub. A pytorch_model.bin is not read, since loading it can run "
        "code: docs/how-to/transformers.md says how to convert one that you trust."
    )
    DN028 = (
        "FrozenTransformer needs the package transformers. Install it with `pip install "
        '"spacy-datnet[transformers]"`, and keep your version of PyTorch with `--constraint constraints.txt`.'
    )
    DN029 = (
        "The transformer at '{name}' is not the one that the pipeline was trained with. Put the old one back, or train "
        "again; with save_checkpoint = true a pipeline carries its own."
    )
    DN030 = "There is no layer {layer} in the transformer '{name}': its layers are 1 to {depth}, or -1 to -{depth}."
    DN031 = "{precision!r} is not a precision. Use one of: {known}."
    DN032 = "{folder} holds features of something else than its name says. Remove that folder."
    DN033 = (
        "ContextualVectors needs one file of arrays for each corpus, but has {corpora} corpora and {arrays} files of "
        "arrays."
    )
    DN034 = "ContextualVectors: there is no file {path}. Check the path; it is looked up from {folder}."
    DN035 = (
        "{array} has the shape {shape}, but {corpus} has {tokens} tokens in {docs} docs: one row is needed for each "
        "token, without rows for special pieces. Write an .npz with one array per doc to see which doc differs."
    )
    DN036 = (
        "There are no contextual vectors for the sentence that begins with {text!r}: it is in none of the corpora that "
        "ContextualVectors knows, and there is no encoder to ask. Add the corpus and its arrays, or set encoder."
    )
    DN037 = "The encoder of ContextualVectors gave {found} arrays for {expected} sentences."
    DN038 = (
        "The encoder of ContextualVectors gave an array of shape {shape} for the sentence that begins with {text!r}, "
        "but {expected} is needed: one row for each word."
    )
    DN039 = (
        "The vectors in {path} are {found} wide, but those before it, or in training, {width}. Take them from one "
        "encoder."
    )
    DN040 = (
        "{array} must hold the arrays arr_0 to arr_N, one for each of {docs} docs with tokens and nothing else: see "
        "{reason}. Write it with numpy.savez(file, *arrays)."
    )
    DN041 = (
        "{array}: the array of doc {number}, which begins with {text!r}, has the shape {shape}, but ({tokens}, "
        "{width}) is needed: one row for each token."
    )
    DN043 = (
        "The transformer '{name}' gives numbers that {precision} can't hold, or none at all. Set precision = "
        '"float32", or choose other layers.'
    )
    DN046 = (
        "Component '{name}' reads its contextual vectors from array files alone, and what is exported reads none: it "
        "could label nothing. Set encoder in its ContextualVectors to a function that gives them for any sentence."
    )
    DN047 = "{where}: the vectors of the sentence that begins with {text!r} are not all finite numbers."
    DN071 = (
        "The features can't be kept in {folder}: {reason}. Make room there, or name a folder that you may write to as "
        "the cache of FrozenTransformer, or none."
    )
    DN072 = "The transformer's weights {name} are not all finite numbers. Get the checkpoint anew."
    DN073 = "The transformer that was saved with the pipeline can't be loaded: {reason}. Get the pipeline anew."
    DN074 = "The word vectors in {where} are {dtype}, but must be numbers, best float32."
    DN075 = (
        "The vector of {word!r} in {where} is not all finite numbers in float32. Correct or remove it; `spacy init "
        "vectors` makes a new table from a text file."
    )
    DN077 = "There are no words in the text. Give a file with text, or a corpus."
    DN078 = "The vectors can't be {width} wide: with these words and this transformer they can be 1 to {most} wide."
    DN079 = "There is no space of word vectors in {path}: {reason}. Give the OUT of a run of `spacy-datnet vectors`."
    DN115 = (
        "The tables can't be aligned: {pairs} pairs of words, of vectors {one} and {other} wide. At least {fewest} "
        "pairs and one width are needed. Name words that mean the same in a --dictionary, or give larger tables."
    )
    DN116 = (
        "The tables do not fit into one space: pairs of words that were held out lie no nearer than others when the "
        "{pairs} pairs are brought together. Are the pairs right? Name words that mean the same in a --dictionary."
    )
    DN117 = (
        "--align takes two tables, the one that stays and the one that is turned, and a folder to write, not {found}."
    )
    DN118 = (
        "There is no table of words in '{place}'. Make one from a text file of vectors with `spacy init vectors`; "
        "floret vectors can't be aligned."
    )


class Warnings:
    """Messages of warnings."""

    DN052 = (
        "Only {percent} % of the words in the first examples have a vector in {where}. Are these the vectors of the "
        "right language? Those of the source are named in the source_tok2vec block of the model."
    )
    DN055 = (
        "Features of the training are not in the cache {folder} and are computed for every batch. Fill it before: set "
        'after_init = {{"@callbacks":"spacy-datnet.compute_features.v1"}} in [initialize].'
    )
    DN056 = "{path} is damaged; the features in it are computed anew."
    DN062 = "{path} may not be read by this user; the features in it are computed anew."
    DN063 = (
        "The features of [training.{name}] are not computed before they are needed, since it can't be read: {reason}"
    )
    DN076 = (
        "Component '{name}' looks up the word vectors of '{path}', and they are not exported: the pipeline has other "
        "vectors of its own, and can carry one table. What is exported needs '{path}' where it is used."
    )
