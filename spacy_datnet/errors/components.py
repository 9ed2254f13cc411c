"""Messages of the network and the components: DN0xx, with those of word features."""


class Errors:
    """Messages of exceptions."""

    DN001 = "{resource!r} is not a resource. Use one of: {known}."
    DN002 = "The network is not built yet. Call nlp.initialize(), train the pipeline, or load a trained one."
    DN003 = "The window of the character CNN is {window}, but must be odd, so that it has a middle."
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
    DN042 = (
        "Component '{name}' has source examples but no target examples, and transfer = {transfer!r} learns from both. "
        'Set transfer = "none" to train on the source alone and label the target with that (zero-shot), or give '
        "target examples."
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
    DN065 = (
        "The weights of a network are damaged, or of a version that can't be read: their checksum is not the one that "
        "was saved. Copy the pipeline again from where it was made, or train it again."
    )
    DN066 = (
        "The weights of a network are not finite: {names}. They would label at random. Copy the pipeline again from "
        "where it was made, or train it again."
    )
    DN067 = (
        "The model of '{name}' is damaged: the checksum of {path} is not the one that was saved beside it. Copy the "
        "pipeline again from where it was made, or train it again."
    )
    DN068 = "{name} is {value}, but must be {range}."
    DN069 = (
        "Component '{name}' sees only the first 100 examples before the training (max_epochs = -1), and none of them "
        "is of the target. Name the labels of source and target in [initialize.components.{name}], as `spacy init "
        "labels` writes them, or let the reader mix the resources, as spacy-datnet.SourceTargetCorpus.v1 does."
    )
    DN048 = (
        "Word features are {found} wide, but the network was built for {expected}. If {expected} is the width of a "
        "listener in the config, set it to {found}, which is what it hears."
    )


class Warnings:
    """Messages of warnings."""

    DN051 = (
        "Component '{name}' has no source examples and trains on the target only. If there is a source corpus, read it "
        "with spacy-datnet.SourceTargetCorpus.v1, which stamps the examples with their resource, or call "
        "spacy_datnet.resources.stamp on references of your own; if not, set transfer "
        '= "none" to train the same network without this warning.'
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
    DN057 = (
        "Component '{name}' has no target examples: it learns from the source alone and will label the target with "
        "that (zero-shot transfer)."
    )
    DN058 = "The confidences can't be fitted to the dev corpus, and are saved as the training made them: {reason}"
    DN059 = (
        "Component '{name}' can't learn {missing}, which the {resource} is annotated with: the labels that it was "
        "given lack them. Add them in [initialize.components.{name}], or leave the labels out."
    )
    DN081 = (
        "Component '{name}' can't learn {missing}, which the {resource} is annotated with: it was trained without. "
        "Train a new component, or map the labels to those that it has: {known}."
    )
    DN082 = (
        "Component '{name}' labels a doc of {length} words without any sentence borders as one sentence. It was "
        "trained on sentences and labels such docs worse: add a sentencizer before it, or set the borders."
    )
    DN060 = (
        "{owner}._.{name} is an extension of your own with a getter or a method: what DATNet components set can't be "
        "read there. Give yours another name."
    )
    DN061 = (
        "Component '{name}' finds no label in any example of the {resource}, and can learn none from it. Is the corpus "
        "annotated, and do the component's settings name the annotation that it has?"
    )
    DN064 = (
        "RAdam takes no notice of the rate of a component, so that rate and factor of spacy-datnet.epoch_decay.v1 have "
        "no effect on '{name}'. Use Adam.v1, or leave the callback out."
    )
