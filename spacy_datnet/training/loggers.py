"""A console logger that shows what the objective's parts do."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import srsly
import tqdm
from spacy.language import Language
from spacy.util import ensure_path, registry
from wasabi import Printer

from .dev_set import check_dev_set

COLUMNS = ("source", "target", "discriminator", "adversarial")
HEADERS = ("L_S", "L_T", "L_GRAD", "L_AT", "D acc")

LogStep = Callable[[dict[str, Any] | None], None]


@registry.loggers("spacy-datnet.ConsoleLogger.v1")
def configure_ConsoleLogger(
    progress_bar: bool = True, output_file: Path | None = None
) -> Callable[[Language, IO, IO], tuple[LogStep, Callable[[], None]]]:
    """Configure a logger that prints a row per evaluation: losses per sentence, discriminator and dev scores.

    Columns of each DATNet component: the loss of source and target, of the discriminator, the whole loss on perturbed
    inputs (nats, divided by all sentences since the row before), and how many resources the discriminator told, in
    percent. A discriminator near the share of the larger resource is fooled, one near 100 not.

    progress_bar (bool): Whether to show the steps until the end, or until the next evaluation if `max_steps` is 0, on a
        terminal. Defaults to True.
    output_file (Optional[Path]): Write the rows to this JSON-lines file too. Defaults to not writing.
    RETURNS (Callable): Sets the logger up.
    """

    def setup(nlp: Language, stdout: IO = sys.stdout, stderr: IO = sys.stderr) -> tuple[LogStep, Callable[[], None]]:
        return _set_up(nlp, stdout, stderr, progress_bar, ensure_path(output_file))

    return setup


def _set_up(
    nlp: Language, stdout: IO, stderr: IO, progress_bar: bool, output_file: Path | None
) -> tuple[LogStep, Callable[[], None]]:
    check_dev_set(nlp)
    ours = [name for name, pipe in nlp.pipeline if hasattr(pipe, "learn_rate_scale")]
    others = [name for name, pipe in nlp.pipeline if name not in ours and getattr(pipe, "is_trainable", False)]
    settings = nlp.config.interpolate()["training"]
    scores = [name for name, weight in settings["score_weights"].items() if weight is not None]
    multiple = len(ours) > 1
    cells = [f"{name} {h}" if multiple else h for name in ours for h in HEADERS]
    header = ["E", "#", *cells, *(f"Loss {name}" for name in others), *scores, "Score"]
    widths = [3, 6, *(max(7, len(cell)) for cell in header[2:])]
    row = Printer(no_print=True).row
    aligns = ["r"] * len(header)

    def write(line: str) -> None:
        stdout.write(f"{line}\n")
        stdout.flush()

    write(row(header, widths=widths, aligns=aligns, spacing=2))
    write(row(["-" * width for width in widths], widths=widths, spacing=2))
    file = None
    if output_file is not None:
        output_file.parent.mkdir(parents=True, exist_ok=True)
        file = output_file.open("w", encoding="utf-8")
    bar: tqdm.tqdm | None = None
    evaluated: list[tuple[int, float]] = []

    def log_step(info: dict[str, Any] | None) -> None:
        nonlocal bar
        if info is None:
            if bar is not None:
                bar.update(1)
            return
        if bar is not None:
            bar.close()
        evaluated.append((info["step"], float(info["score"])))
        parts = {name: means(info["losses"], name) for name in ours}
        found = {name: 100 * float(info["other_scores"].get(name) or 0.0) for name in scores}
        if "speed" in found:
            found["speed"] /= 100
        data = [info["epoch"], info["step"]]
        data += [f"{value:.2f}" for name in ours for value in parts[name].values()]
        data += [f"{info['losses'].get(name, 0.0):.2f}" for name in others]
        data += [f"{value:.2f}" for value in [*found.values(), 100 * float(info["score"])]]
        write(row(data, widths=widths, aligns=aligns, spacing=2))
        if file is not None:
            record = {key: info[key] for key in ("epoch", "step", "seconds", "words", "score")}
            file.write(srsly.json_dumps({**record, "losses": parts, "scores": found}) + "\n")
            file.flush()
        if progress_bar:
            # until the end, if that is known, which tells how much time is left at most
            total, done = (settings["max_steps"], info["step"]) if settings["max_steps"] else (None, 0)
            total = total or settings["eval_frequency"]
            # disable=None: only on a terminal
            bar = tqdm.tqdm(total=total, initial=done, disable=None, leave=False, file=stderr)
            bar.set_description(f"Epoch {info['epoch'] + 1}")

    def finalize() -> None:
        if bar is not None:
            bar.close()
        if file is not None:
            file.close()
        steps = settings["max_steps"]
        if is_short(evaluated, steps):
            write(f"The last step is the best: more may be better. Set --training.max_steps, now {steps}.")

    return log_step, finalize


def is_short(evaluated: Sequence[tuple[int, float]], max_steps: int) -> bool:
    """Tell whether a training ended by its number of steps while its score was still rising.

    evaluated (Sequence[Tuple[int, float]]): The steps that were evaluated, and their scores.
    max_steps (int): Where the training ends; 0 is nowhere.
    RETURNS (bool): Whether the last step is the first to have the best score.
    """
    if len(evaluated) < 2 or not max_steps or evaluated[-1][0] < max_steps:
        return False
    return evaluated[-1][1] > max(score for _, score in evaluated[:-1])


def means(losses: dict[str, float], name: str) -> dict[str, float]:
    """Average what a component added to the losses since the last evaluation.

    losses (Dict[str, float]): The losses of spaCy's training loop.
    name (str): Name of the component.
    RETURNS (Dict[str, float]): Loss per sentence of each part, and the discriminator's accuracy in percent.
    """
    sentences = losses.get(f"{name}.sentences", 0) or 1
    parts = {column: losses.get(f"{name}.{column}", 0.0) / sentences for column in COLUMNS}
    judged = losses.get(f"{name}.judged", 0.0)
    parts["accuracy"] = 100 * losses.get(f"{name}.correct", 0.0) / judged if judged else 0.0
    return parts
