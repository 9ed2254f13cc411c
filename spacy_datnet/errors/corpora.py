"""Messages about the files of a corpus: DN2xx."""


class Errors:
    """Messages of exceptions."""

    DN201 = "{path}: there is no such file. Check the path; it is looked up from {folder}."
    DN202 = "{path} can't be read: {reason}."
    DN203 = (
        "{archive} is a zip archive{lack}. Name one of its files after a colon, as in {archive}:{example}. It holds: "
        "{members}."
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
        "have: {places}. The columns are read as separated by {delimiter}s (--delimiter). Comments "
        "may stand only before the first token of a sentence."
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
        "name what the tags are (--annotation), if they are not those of entities. Labels without a prefix are read "
        "with --scheme io."
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
    DN244 = "{path} holds {format}, which a sample can't be taken of. Convert it, and take a sample of the .spacy file."
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
    DN264 = (
        "{path}, line {line} has {length:,} characters, more than the {limit:,} of the longest line that is read. Is "
        "this a text file with one token per line?"
    )
    DN265 = (
        "{path} looks like CSV, and it is not clear which columns hold the tokens and the tags: {header}. Name them by "
        "their numbers, with --token-column and --tag-column."
    )
    DN266 = (
        "{path}: {count} line(s) of the table whose fields are not the {width} of the header, or whose tags are not as "
        "many as the tokens: {places}. The fields are read as separated by {separator}. Correct these lines."
    )
    DN267 = (
        "{path}: {count} record(s) that can't be read: {places}. Correct them, or name the format (--format) if these "
        "are records of another tool."
    )
    DN268 = "{path}, line {line}: this is no JSON ({reason}). Correct the line, or export the file again."
    DN269 = (
        "{path} is JSON, but its records are not those of Prodigy, doccano, Label Studio or Hugging Face. The keys of "
        "the first are: {keys}."
    )
    DN285 = (
        "{path}: {count} line(s) or file(s) that are not brat standoff: {places}. Each text is a .txt file, with an "
        ".ann file of the same name beside it, whose lines are as in `T1<tab>LOC 0 4<tab>Oslo`."
    )
    DN288 = "What a pipeline predicts is written for a tool to correct: name it with --to."
    DN287 = (
        "{path}: {count} line(s) that are not WebAnno TSV: {places}. A line has the number of the token, its offsets, "
        "the token as it stands in the #Text= of its sentence, and a column per feature."
    )


class Warnings:
    """Messages of warnings."""

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
    DN270 = (
        "{path}: each token has a language code before it, as in WikiANN ({prefixes}, as in {example!r}). It was taken "
        "off; --keep-prefixes leaves it."
    )
    DN271 = (
        "{path}: the first column counts the tokens of each sentence. The second was taken to be that of the tokens; "
        "name another with --token-column."
    )
    DN272 = (
        "{path}: the tags of entities were read from column {column}. If those of another column are meant ({others}), "
        "name it with --tag-column; where two levels are annotated, the outer one was taken."
    )
    DN273 = "{path}: {count} comment line(s) before sentences were left out: {places}."
    DN274 = (
        "{path}: {count} of {sentences} sentences have no words, only underscores: {places}. Licences of some "
        "treebanks withhold the text; put it in with the tool that comes with the treebank, or nothing can be learnt "
        "from them."
    )
    DN275 = (
        "{path}: the words of {count} of {sentences} sentences are the running numbers of their tokens: {places}. Name "
        "the column with the tokens (--token-column)."
    )
    DN276 = "{path}: the offsets of the spans are those of {unit}, as the texts show, and were read so."
    DN277 = "{path}: the text of {count} span(s) stands elsewhere in the record, and was found there: {places}."
    DN278 = "{path}: {count} span(s) begin or end with white space, which was taken off: {places}."
    DN279 = "{path}: {count} span(s) overlap a longer one, which was kept, and were left out: {places}."
    DN280 = (
        "{path}: {count} span(s) begin or end within a token; these tokens count as not annotated: {places}. Annotate "
        "whole tokens, or name the language whose tokenizer fits (--lang)."
    )
    DN281 = (
        "{path}: {count} span(s) are outside of their text, or have another text than they say; their records were "
        "left out: {places}."
    )
    DN282 = "{path}: {count} record(s) without text were left out: {places}."
    DN283 = "{path}: {count} record(s) that were rejected, ignored or cancelled were left out: {places}."
    DN284 = (
        "{path}: {count} document(s) are annotated in part, which {format} can't tell from being outside of entities: "
        "{places}. Write them with --to conll or hf, or look at them again in the tool."
    )
    DN286 = (
        "{path}: {count} span(s) are in several pieces, which tags can't tell; the tokens of the pieces count as not "
        "annotated: {places}."
    )
