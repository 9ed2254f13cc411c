"""Every message that spacy-datnet shows when something is wrong, with a code to search for.

A message says what is wrong, where, and what to do. Raise as ``raise ValueError(Errors.DN001.format(...))``.
"""


class _Coded(type):
    """Prefix each message with its own name, so that the code can never go stale."""

    def __getattribute__(cls, code):
        message = super().__getattribute__(code)
        return f"[{code}] {message}" if code.startswith("DN") else message


class Errors(metaclass=_Coded):
    """Messages of exceptions. DN0xx: models and components; DN1xx: training; DN2xx: corpora; DN3xx: experiments."""

    DN001 = "{resource!r} is not a resource. Use one of: {known}."
    DN002 = "The network is not built yet. Call nlp.initialize(), train the pipeline, or load a trained one."
    DN003 = "The window of the character CNN is {window}, but must be odd, so that it has a middle."
    DN004 = (
        "There are no word vectors in {where}. Set `vectors` in [initialize], name a pipeline with vectors in the "
        'WordVectors block, or train word features with the block @architectures = "spacy.MultiHashEmbed.v2".'
    )
    DN005 = (
        "The word vectors '{name}' can't be loaded: {error}. Give the path or the package of a pipeline; "
        "`spacy init vectors` makes one from a text file."
    )
    DN006 = (
        "Word features are {target} wide for the target and {source} wide for the source. A shared encoder needs the "
        "same width: use vectors of one width for both, or one tok2vec for both (source_tok2vec = null)."
    )
    DN007 = "{transfer!r} is not a kind of transfer. Use one of: {known}."
    DN008 = (
        "A DATNet model is trained through `update` of its component, because its losses need the annotation. "
        "model.begin_update is not available."
    )
    DN009 = "{label!r} can't be a label: labels are strings."
    DN010 = (
        "Can't add the label {label!r} to '{name}': its network is built. Add labels before nlp.initialize() or name "
        "them all in the `labels` of [initialize.components.{name}]."
    )
    DN011 = (
        "Component '{name}' found no label in the target examples. Is the target corpus annotated for this task? "
        "`python -m spacy_datnet check FILE` tells. For an initialization without examples, name the labels in "
        "[initialize.components.{name}]."
    )
    DN012 = (
        "Component '{name}' found no label in the source examples. Is the source corpus annotated for this task? "
        "`python -m spacy_datnet check FILE` tells. If it is another task, name that in source_annotation."
    )
    DN013 = (
        "share_decoder = true needs the same labels in source and target, but the source has {source} and the target "
        "has {target}. Name all of them in the `labels` of [initialize.components.{name}], map the labels, or set "
        "share_decoder = false."
    )
    DN014 = (
        "The loss of '{name}' is not a number: {report}. Lower the learning rate or the epsilons, and check the word "
        "vectors for values that are not finite."
    )
    DN015 = "Component '{name}' is not trained yet. Call nlp.initialize(), or load a trained pipeline."
    DN016 = (
        "There is no DATNet component in the pipeline; its components are: {pipes}. Give a pipeline that was trained "
        "with a component of spacy-datnet."
    )
    DN017 = (
        "Component '{name}' was initialised or exported without a source and can't learn from source examples. "
        "Initialise it with examples of both resources, or leave the source out."
    )
    DN018 = (
        "A listener as tok2vec hears source and target together, so there can be no source_tok2vec beside it. Leave "
        "source_tok2vec out."
    )
    DN019 = (
        "The labels of '{name}' are given for {unknown}, which is no resource. Use the keys: {known}; or give a list "
        "for the target alone."
    )
    DN020 = "{name} is {value}, but must be at least {least}."
    DN021 = "{attribute!r} is not a token attribute that can be a tag. Use one of: {known}."
    DN022 = "{label!r} can't be a label of token.{attribute}_, which takes {possible}."
    DN023 = (
        "Spans overlap in doc.spans[{key!r}]: {first!r} and {second!r} in the doc that begins with {text!r}. A "
        "token can be in one span at most: remove the overlap, spacy.util.filter_spans keeps the longest."
    )
    DN024 = (
        "The DATNetEncoder block says width = {width}, but its encoder gives {found}. Set width = {found} there and in "
        "every listener, or change the encoder."
    )
    DN025 = "The pipeline has no DATNet component {name!r} to take the encoder of. Use one of: {known}."
    DN026 = (
        'source_annotation = {name!r} is no kind of annotation. Use "ents", "tag", "pos", "spans:KEY" for group KEY '
        "of doc.spans, or null for that of the component."
    )
    DN027 = (
        "The transformer '{name}' can't be loaded: {error}. Give the folder of a checkpoint, with a config.json and a "
        "tokenizer.json, or its name on the hub."
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
        "{array} must hold the arrays arr_0 to arr_N, one for each of {docs} docs with tokens and nothing else, "
        "uncompressed: see {name}. Write it with numpy.savez(file, *arrays)."
    )
    DN041 = (
        "{array}: the array of doc {number}, which begins with {text!r}, has the shape {shape}, but ({tokens}, "
        "{width}) is needed: one row for each token."
    )
    DN042 = (
        "Component '{name}' has source examples but no target examples, and transfer = {transfer!r} learns from both. "
        'Set transfer = "none" to train on the source alone and label the target with that (zero-shot), or give '
        "target examples."
    )
    DN043 = (
        "The transformer '{name}' gives numbers that {precision} can't hold, or none at all. Set precision = "
        '"float32", or choose other layers.'
    )
    DN044 = (
        "Component '{name}' has no target examples, and its source_annotation is of another kind than what it labels: "
        "a decoder learns either spans or tags of tokens. Give target examples, or a source with the target's kind."
    )
    DN045 = (
        "Component '{name}' was given the labels {given} for the {resource}, but the examples have none of them: they "
        "are annotated with {found}. Correct [initialize.components.{name}] or leave its labels out, and see whether "
        "the component's settings name the right annotation."
    )
    DN046 = (
        "Component '{name}' reads its contextual vectors from array files alone, and what is exported reads none: it "
        "could label nothing. Set encoder in its ContextualVectors to a function that gives them for any sentence."
    )
    DN047 = "{where}: the vectors of the sentence that begins with {text!r} are not all finite numbers."
    DN048 = (
        "Word features are {found} wide, but the network was built for {expected}. If {expected} is the width of a "
        "listener in the config, set it to {found}, which is what it hears."
    )

    DN101 = "{discriminator!r} is not a kind of discriminator. Use one of: {known}."
    DN102 = "alpha is {alpha}, but is the weight of the source and must be between 0 and 1."
    DN103 = "{name} is {value}, but can't be negative."
    DN104 = "The batch size is {size}, but must be at least 2: one example of the source and one of the target."
    DN105 = "target_share is {share}, but must be between 0 and 1. To train on the target only, leave the source out."
    DN106 = "source_ratio is {ratio}, but must be greater than 0 and at most 1."
    DN107 = "Give target_count or target_ratio, not both."
    DN108 = "There is no corpus at {path}. Give a .spacy file; `python -m spacy_datnet convert` makes one."
    DN109 = "There are no sentences in {path}. Files must be called *.spacy; `python -m spacy_datnet check` reads them."
    DN110 = "SourceTargetCorpus has nothing to read: give a source, a target, or both, and not target_count = 0 alone."
    DN111 = "pool is {pool}, but sentences are sorted within at least 1 batch."

    DN201 = "{path}: there is no such file. Check the path; it is looked up from {folder}."
    DN202 = "{path} can't be read: {reason}."
    DN203 = (
        "{archive} is a zip archive without a file {member!r}. Name one of its files after a "
        "colon, as in {archive}:{example}. It holds: {members}."
    )
    DN204 = (
        "{encoding!r} is not the name of a text encoding that Python knows. Names are for example "
        "utf-8, latin-1, cp1252 or utf-16; without a name the encoding is detected."
    )
    DN205 = (
        "{path}, line {line}: {text} can't be decoded as {encoding}. Name the encoding of the file "
        "(--encoding), for example latin-1 or cp1252, or repair the line."
    )
    DN206 = (
        "{path}: the encoding can't be detected, {reason}. Name it (--encoding) if this is a text "
        "file with one token per line."
    )
    DN207 = "{path} holds no sentences: {reason}."
    DN208 = (
        "{path}: {count} line(s) with a number of columns other than {width}, which most lines "
        "have: {places}. The columns are read as separated by {delimiter}s (--delimiter). Comment "
        "lines are no part of this format."
    )
    DN209 = (
        "{path}: there is no column {column}, the file has {width}. Columns are counted from 1, or "
        "from the end with -1 for the last (--token-column, --tag-column)."
    )
    DN210 = (
        "{path}: tokens and tags would both come from column {column} of {width}. Name them with "
        "--token-column and --tag-column, or the separator with --delimiter."
    )
    DN211 = (
        "{tag!r} is not an entity tag. A tag is O, - (annotation missing), or a prefix, a hyphen "
        "and a label, as in B-LOC."
    )
    DN212 = (
        "{path}: {count} token(s) whose tag is not O, - (annotation missing), or a prefix and a "
        "label as in B-LOC: {places}. The tags are read from {where}; name another place, correct these lines, or "
        "name what the tags are (--annotation), if they are not those of entities."
    )
    DN213 = (
        "{path} mixes IOB1 and IOB2: {iob1} entities begin with I- and {iob2} with B- where no "
        "entity comes before. The rarer ones: {places}. Correct these lines, or name the scheme "
        "(--scheme) to read every one of them as the beginning of an entity."
    )
    DN214 = (
        "{path} mixes BIOES with another tagging scheme: {closings} tags with a prefix of BIOES "
        "(E, L, S, U, W), but {broken} tags that BIOES does not allow where they are. The rarer "
        "ones: {places}. Correct these lines."
    )
    DN215 = (
        "{path} is written in BIOES, but {count} tag(s) open an entity that is never closed, or go "
        "on with one that is not open: {places}. Correct these lines."
    )
    DN216 = (
        "{path}: {count} tag(s) do not belong to the named scheme {scheme}: {places}. Let the "
        "scheme be detected (--scheme auto) or correct these lines."
    )
    DN217 = "{path}: the token is empty in {count} line(s): {places}. Correct or delete these lines."
    DN219 = "{path} can't be written: it is a folder. Give the name of a file."
    DN220 = "{path} is both input and output and would be overwritten. Choose another name for the output."
    DN221 = "{path} is not a .spacy file ({reason}). Make one with: python -m spacy_datnet convert FILE OUT.spacy"
    DN222 = "{lang!r} is not a language code that spaCy knows. Use one as in spacy.blank, or xx for any language."
    DN223 = "A sample needs either a count or a ratio, and not both: got count={count} and ratio={ratio}."
    DN224 = "A ratio of sentences is above 0 and at most 1, and a count at least 1: got {value}."
    DN225 = "{count} sentences were asked for, but there are only {available}."
    DN226 = (
        "{output} does not fit {source}: a sample is written in the format of its source. Both names "
        "must end in .spacy, or neither."
    )
    DN227 = "{scheme!r} is not a tagging scheme known here. Use one of: {known}."
    DN228 = (
        "{path} is not annotated with {kind}: of {tokens} tokens, {outside} are marked as outside and {missing} as "
        "not annotated. Is this the annotated file, and the right column?"
    )
    DN229 = "There is nothing to check. Give at least one file."
    DN230 = "{delimiter!r} is not a column separator known here. Use one of: {known}."
    DN231 = "{path} can't be written: {reason}."
    DN232 = "{path} does not end in .spacy, and spaCy's readers would skip it. Give the output a name that does."
    DN233 = "{path}: {format} can't give {kind!r}. Name one or more of {known} (--annotation), or another --format."
    DN234 = (
        "{path}: {count} sentence(s) with a line that is not CoNLL-U: {places}. A line has ten columns separated by "
        "tabs; the first counts the words of a sentence, and an empty line ends the sentence. Correct these lines."
    )
    DN235 = (
        "{path}: {count} place(s) where the brackets make no tree of tags and words as in (S (NN word)): {places}. "
        "Correct these lines."
    )
    DN236 = (
        "{path} can't be read as a label map: {reason}. It is a YAML file with lines as in `NN: NOUN`, or a TOML file "
        'with lines as in `NN = "NOUN"`.'
    )
    DN237 = (
        "{path}: the label map {map} lacks labels of {kind}: {labels}. Add them to the map; "
        "'*': X is a default for all others, '*': '*' leaves them as they are."
    )
    DN238 = "{format!r} is not a format known here. Use one of: {known}."
    DN239 = (
        "{path} is read as {format}, which has no such columns to name: leave out --token-column, --tag-column and "
        "--delimiter, and for trees the columns in --annotation, or name --format columns."
    )
    DN240 = (
        '{name!r} is no kind of annotation. Use "ents", "tag", "pos" or "spans:KEY" for group KEY of doc.spans; in '
        "a column file or CoNLL-U a column may follow, as in tag=2 or ents=-1."
    )
    DN241 = (
        "{path}: it is not clear what the label map {map} is for, the annotation is {kinds}. Name one of them, as in "
        "--label-map pos=FILE."
    )
    DN242 = (
        "{path}: {count} token(s) without annotation (-) as {kind}: {places}. A group of doc.spans is annotated as a "
        "whole. Leave these sentences out, or read them as ents."
    )
    DN243 = (
        "{path}: {count} token(s) whose tag is no part of speech of Universal Dependencies: {places}. The tags are "
        "read from {where}. Correct them, map them (--label-map), or take any tags as they are (--annotation tag)."
    )
    DN244 = (
        "{path} holds bracketed trees, which a sample can't be taken of. Convert it, and take a sample of the .spacy "
        "file."
    )
    DN245 = (
        "{path}: {count} span(s) of {kind} overlap others: {places}. A component of spacy-datnet can't learn from "
        "them: remove the overlap, spacy.util.filter_spans keeps the longest; or name the annotation to check."
    )
    DN246 = (
        "{path}: {count} span(s) of {kind} have no label: {places}. Tags can't tell them from none: set label_, "
        "or name the annotation to check."
    )
    DN247 = "{option} is given more than once for {kind}. Keep one of them."
    DN248 = (
        "Several files can't be written to the one file {output}. Name a folder, or give the files as one pattern in "
        "quotes to make one corpus of them."
    )
    DN249 = (
        "{first} and {second} would both be written to {output}. Rename one, or convert them one by one, each to a "
        "name of its own."
    )
    DN250 = "{source} gives no name for the file in {folder}. Name the .spacy file to write."
    DN263 = (
        "{path}: a CoNLL-U file has nothing to read as {kind} in column {column}. Name one of {known} (--annotation)."
    )

    DN301 = "{path} can't be read as a grid: {reason}. It is a YAML file, see `python -m spacy_datnet run --help`."
    DN302 = "{path}: in {where}, missing: {missing}; unknown: {unknown}."
    DN303 = "{path}: there is no config at {config}. Check the path; it is looked up from {folder}."
    DN304 = "{path}: {size!r} is not a size. Give a number of sentences, a share between 0.0 and 1.0, or all."
    DN305 = "{path}, line {line}: this is not JSON. Remove the line, or name another folder for the runs."
    DN306 = "The process ended with code {code} and no result; a negative code is a signal, -9 often means no memory."
    DN307 = 'The engine "ray" needs the package ray. Install it with `pip install "spacy-datnet[ray]"`.'
    DN308 = "{path}: in {where}, there is {name!r}, which is not a name of this grid. It has: {known}."
    DN309 = "{folder} holds no runs. Make some with: python -m spacy_datnet run GRID {folder}"
    DN310 = "There is no variant {base!r} to compare with. The grid has: {known}."
    DN311 = 'This needs the package {package}. Install it with `pip install "spacy-datnet[report]"`.'
    DN312 = "Another process does runs in {folder}. Wait for its end, or name another folder."
    DN313 = "There is no folder {folder} to reuse runs from. Name a folder of runs, or one that holds such."


class Warnings(metaclass=_Coded):
    """Messages of warnings: something was repaired or is probably not what the user wants."""

    DN051 = (
        "Component '{name}' has no source examples and trains on the target only. If there is a source corpus, read it "
        "with spacy-datnet.SourceTargetCorpus.v1, which stamps the examples with their resource, or call "
        "spacy_datnet.resources.stamp on references of your own; if not, set transfer "
        '= "none" to train the same network without this warning.'
    )
    DN052 = (
        "Only {percent} % of the words in the first examples have a vector in {where}. Are these the vectors of the "
        "right language? Those of the source are named in the source_tok2vec block of the model."
    )
    DN053 = (
        "Component '{name}' is scored by {score}, which [training.score_weights] does not have: `spacy train` would "
        "choose the best model without it. Set {score} = 1.0 there, and null for scores that no component has."
    )
    DN054 = (
        "Component '{name}' can't be scored: none of the docs is annotated in doc.spans[{key!r}]. With gold_preproc = "
        "true the reader spacy.Corpus.v1 drops these spans as it cuts docs into sentences: set it to false, or read "
        "the corpus as the target of spacy-datnet.SourceTargetCorpus.v1 with source = null."
    )
    DN055 = (
        "Features of the training are not in the cache {folder} and are computed for every batch. Fill it before: set "
        'after_init = {{"@callbacks":"spacy-datnet.compute_features.v1"}} in [initialize].'
    )
    DN056 = "{path} is damaged; the features in it are computed anew."
    DN057 = (
        "Component '{name}' has no target examples: it learns from the source alone and will label the target with "
        "that (zero-shot transfer)."
    )
    DN058 = "The confidences can't be fitted to the dev corpus, and are saved as the training made them: {reason}"
    DN059 = (
        "Component '{name}' can't learn {missing}, which the {resource} is annotated with: the labels that it was "
        "given lack them. Add them in [initialize.components.{name}], or leave the labels out."
    )
    DN060 = (
        "{owner}._.{name} is an extension of your own with a getter or a method: what DATNet components set can't be "
        "read there. Give yours another name."
    )
    DN061 = (
        "Component '{name}' finds no label in any example of the {resource}, and can learn none from it. Is the corpus "
        "annotated, and do the component's settings name the annotation that it has?"
    )
    DN062 = "{path} may not be read by this user; the features in it are computed anew."
    DN063 = (
        "The features of [training.{name}] are not computed before they are needed, since it can't be read: {reason}"
    )
    DN064 = (
        "RAdam takes no notice of the rate of a component, so that rate and factor of spacy-datnet.epoch_decay.v1 have "
        "no effect on '{name}'. Use Adam.v1, or leave the callback out."
    )

    DN251 = (
        "{path}: {count} tag(s) break {scheme}, which the rest of the file follows, and were read "
        "as the beginning of an entity (B-): {places}."
    )
    DN252 = (
        "{path} is not UTF-8. Its encoding was guessed to be {encoding}: do these words look "
        "right? {words}. If not, name the encoding (--encoding)."
    )
    DN253 = "{path} is not annotated with {kind}: all its tags say that there is none, or that annotation is missing."
    DN254 = (
        "{path}: {count} of {sentences} sentences ({share:.1%}) repeat an earlier sentence of the "
        "same file, for example: {examples}."
    )
    DN255 = (
        "{evaluation}: {count} of {sentences} sentences ({share:.1%}) also are in {training}, so "
        "that scores will be too high, for example: {examples}."
    )
    DN256 = "{path}: {count} sentence(s) longer than {limit} tokens, which costs memory and time in training: {places}."
    DN257 = "{path} has labels of {kind} that no training file has, and that can't be learnt therefore: {labels}."
    DN258 = "Source and target differ in labels of {kind}. Only in the source: {source}. Only in the target: {target}."
    DN259 = (
        "{path}: {count} spans of {kind} go on across the end of a sentence; where documents are split into sentences, "
        "they can't be learnt, and what is annotated there counts as missing: {places}."
    )
    DN260 = "{path}: {count} of {tokens} tokens ({share:.1%}) are not annotated with {kind}."
    DN261 = (
        "{path} has parts of speech that Universal Dependencies 2 does not have: {labels}. A shared decoder with its "
        "labels would not learn them. CONJ of version 1 is CCONJ; map it (--label-map)."
    )
    DN262 = (
        "The source is annotated with {source} and the target with {target}. To train on two tasks, name that of the "
        "source in source_annotation; the decoder can't be shared then."
    )
