"""What was answered, in the formats of annotation tools."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..corpora import WRITERS, CorpusError, conversion_warnings, export_corpus, survey_corpus, write_corpus
from ..errors import Errors
from .store import Queue, Task

# the endings of what is downloaded, where the name of the format is none
SUFFIXES = {"prodigy": "jsonl", "doccano": "jsonl", "hf": "jsonl", "labelstudio": "json", "webanno": "tsv"}
KNOWN = (*WRITERS, "spacy")


def export(
    queue: Queue, tokens_of: Callable[[Task], list[list[int]]], to: str, lang: str
) -> tuple[bytes, str, list[str]]:
    """Write the answers as `spacy-datnet convert --to` does; in Prodigy's format, with those that are no annotation.

    queue (Queue): The queue.
    tokens_of (Callable): Gives the borders of the tokens of a text.
    to (str): The format.
    lang (str): The language of the texts.
    RETURNS (Tuple[bytes, str, List[str]]): The file, its name, and what there is to say of it.
    """
    if to not in KNOWN:
        raise CorpusError(Errors.DN379.format(to=to, known=", ".join(KNOWN)))
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in _records(queue, tokens_of))
    name = f"{queue.path.stem}.{SUFFIXES.get(to, to)}"
    if to == "prodigy":
        return lines.encode(), name, []
    with TemporaryDirectory() as folder:
        answers, path = Path(folder, "answers"), Path(folder, "export", name)
        answers.write_text(lines, encoding="utf8")
        survey = survey_corpus(answers, format="prodigy", lang=lang)
        messages = conversion_warnings(survey)
        if to == "spacy":
            write_corpus(survey.sentences(), survey.counts.tokens, lang, path)
        else:
            messages += export_corpus(survey, lang, to, path)
        if path.is_dir():
            path = Path(shutil.make_archive(str(path), "zip", path))
        return path.read_bytes(), path.name, [one.replace(f"{folder}/", "") for one in messages]


def _records(queue: Queue, tokens_of: Callable[[Task], list[list[int]]]) -> Iterator[dict[str, Any]]:
    saved = queue.saved()
    for key, task in zip(queue.keys, queue.tasks, strict=True):
        answer = saved.get(key)
        if answer and answer.answer:
            tokens = [
                {"text": task.text[start:end], "start": start, "end": end, "id": number}
                for number, (start, end) in enumerate(tokens_of(task))
            ]
            spans = json.loads(answer.spans or "[]")
            yield task.model_dump(exclude_unset=True) | {"tokens": tokens, "spans": spans, "answer": answer.answer}
