"""Training that can be interrupted at any moment, and then goes on where it was.

The loop is spaCy's own, `train_while_improving`. It counts its steps from 0, keeps its results and the position of its
schedules to itself and offers no way in, so a training goes on by going through the loop again: the steps that are done
take their batches, call `before_update` and move the schedules, but compute nothing. For these steps, the loop is given
a pipeline without components, whose evaluation is what the log says. After the last of them the state of that time is
restored, and the rest is computed.
"""

import contextlib
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import init_nlp
from spacy.training.loop import (
    DIR_MODEL_BEST,
    DIR_MODEL_LAST,
    clean_output_dir,
    create_before_to_disk_callback,
    create_evaluation_callback,
    create_train_batches,
    train_while_improving,
    update_meta,
)
from spacy.util import registry, resolve_dot_names
from thinc.api import Config, Optimizer, fix_random_seed, set_gpu_allocator
from wasabi import Printer

from .folder import TrainingFolder, replace_folder
from .replay import Muted, Rehearsal, Trail
from .state import State, save_state

# the part of the time that saving may take
SHARE = 0.03
# seconds between two states
PAUSE = 10.0


def train(
    config: Config,
    output: Path,
    *,
    save_every: int | None = None,
    restart: bool = False,
    use_gpu: int = -1,
    code: Path | None = None,
    stdout: IO = sys.stdout,
    stderr: IO = sys.stderr,
) -> bool:
    """Train a pipeline as `spacy train` does, or go on with what an earlier call was interrupted in.

    config (Config): The config, not interpolated.
    output (Path): The folder of model-best and model-last, and of what is needed to go on.
    save_every (Optional[int]): Save the state after so many steps. Defaults to None: about as often as saving takes 3 %
        of the time, and after 10 seconds at the earliest.
    restart (bool): Whether to start anew. Defaults to False.
    use_gpu (int): The number of a GPU. Defaults to -1, the CPU.
    code (Optional[Path]): The Python file that was imported before, a change of which is a change of the training.
    stdout (IO): For messages and the log.
    stderr (IO): For the progress bar.
    RETURNS (bool): Whether there was anything left to do.
    """
    message = Printer(no_print=True)
    with TrainingFolder(output, config, code=code, use_gpu=use_gpu) as folder:
        if restart:
            folder.clear()
        if folder.is_done():
            stdout.write(message.good("The training is done; --restart starts anew", output / DIR_MODEL_LAST) + "\n")
            return False
        if warning := folder.changed_versions():
            stdout.write(message.warn(warning) + "\n")
        state = None
        if folder.can_go_on:
            with folder.reading(folder.state):
                state = State(folder.state)
        folder.begin()
        nlp = init_nlp(config, use_gpu=use_gpu)
        run = _Run(nlp, folder, state, save_every, use_gpu, Muted(stdout), Muted(stderr))
        with run.interruptible():
            run.train()
        folder.finish()
    stdout.write(message.good("Saved pipeline to output directory", output / DIR_MODEL_LAST) + "\n")
    return True


class _Run:
    """What `spacy.training.loop.train` does, and the saving of states."""

    def __init__(
        self,
        nlp: Language,
        folder: TrainingFolder,
        state: State | None,
        save_every: int | None,
        use_gpu: int,
        stdout: Muted,
        stderr: Muted,
    ):
        self.nlp = nlp
        self.folder = folder
        self.state = state
        self.save_every = save_every
        self.use_gpu = use_gpu
        self.stdout = stdout
        self.stderr = stderr
        progress = {} if state is None else state.progress
        self.trail = Trail(progress.get("trail"))
        self.best: int | None = progress.get("best")
        self.pipeline = Rehearsal(nlp, progress.get("evaluations", []), repeats=state is not None)
        self.n_strings = len(nlp.vocab.strings)
        self.signal: int | None = None
        # seconds of earlier processes, and since when this one counts
        self.before, self.start = progress.get("seconds", 0.0), time.perf_counter()
        self.saved_at, self.cost, self.costs = self.start, 0.0, 0.0

    def train(self) -> None:
        """Go through the loop."""
        nlp, output = self.nlp, self.folder.output
        config = nlp.config.interpolate()
        if config["training"]["seed"] is not None:
            fix_random_seed(config["training"]["seed"])
        if self.use_gpu >= 0 and config["training"]["gpu_allocator"]:
            set_gpu_allocator(config["training"]["gpu_allocator"])
        settings = registry.resolve(config["training"], schema=ConfigSchemaTraining)
        train_corpus, dev_corpus = resolve_dot_names(config, [settings["train_corpus"], settings["dev_corpus"]])
        self.optimizer: Optimizer = settings["optimizer"]
        self.frozen: list[str] = settings["frozen_components"]
        self.before_to_disk = create_before_to_disk_callback(settings["before_to_disk"])
        before_update = settings["before_update"]
        pipeline: Any = self.pipeline  # in place of a Language
        steps = train_while_improving(
            pipeline,
            self.optimizer,
            self.trail.iterate(create_train_batches(nlp, train_corpus, settings["batcher"], settings["max_epochs"])),
            create_evaluation_callback(
                pipeline, lambda _: () if self.pipeline.repeats else dev_corpus(nlp), settings["score_weights"]
            ),
            dropout=settings["dropout"],
            accumulate_gradient=settings["accumulate_gradient"],
            patience=settings["patience"],
            max_steps=settings["max_steps"],
            eval_frequency=settings["eval_frequency"],
            exclude=self.frozen,
            annotating_components=settings["annotating_components"],
            before_update=before_update and (lambda _, info: self.trail(before_update, nlp, info)),
        )
        if self.state is None:
            clean_output_dir(output)
        else:
            self.folder.restore_best(self.best)
        self.announce(settings)
        with nlp.select_pipes(disable=self.frozen):
            log_step, finalize_logger = settings["logger"](nlp, self.stdout, self.stderr)
        self.silence(self.state is not None)
        try:
            for _, info, is_best in steps:
                info["seconds"] = int(self.seconds())
                if is_best is not None:
                    self.pipeline.complete(info)
                    with nlp.select_pipes(disable=self.frozen):
                        update_meta(settings, nlp, info)
                    if not self.pipeline.repeats:
                        self.save_pipeline(info["step"] if is_best else None)
                    info["output_path"] = str(output / DIR_MODEL_LAST)
                log_step(None if is_best is None else info)
                if self.pipeline.repeats:
                    self.go_on(info)
                elif self.signal is not None or self.is_due(info["step"]):
                    self.save(info)
                if self.signal is not None:
                    self.leave()
        except Exception as error:
            text = f"Aborting and saving the final best model. Encountered exception: {error!r}"
            self.stdout.write(Printer(no_print=True).warn(text) + "\n")
            if not self.pipeline.repeats:
                self.save_pipeline()
            raise
        finally:
            finalize_logger()
        self.save_pipeline()

    def announce(self, settings: dict[str, Any]) -> None:
        """Say what `spacy train` says before the first step."""
        lines = [f"Pipeline: {self.nlp.pipe_names}"]
        if self.frozen:
            lines.append(f"Frozen components: {self.frozen}")
        if settings["annotating_components"]:
            lines.append(f"Set annotations on update for: {settings['annotating_components']}")
        lines.append(f"Initial learn rate: {self.optimizer.learn_rate}")
        if self.state is not None:
            lines.append(f"Going on after step {self.state.progress['step']}")
        for line in lines:
            self.stdout.write(Printer(no_print=True).info(line) + "\n")

    def silence(self, silent: bool) -> None:
        """Let the logger write what was logged before to its file, but not to the terminal."""
        self.stdout.silent = self.stderr.silent = silent

    def seconds(self) -> float:
        """Tell how long the training has taken, in all processes."""
        return self.before + time.perf_counter() - self.start

    def save_pipeline(self, best: int | None = None) -> None:
        """Save the pipeline as model-last, and as model-best if that is what a step made it."""
        output = self.folder.output
        last = output / f"{DIR_MODEL_LAST}.unfinished"
        with self.folder.writing(), self.nlp.use_params(self.optimizer.averages):
            self.before_to_disk(self.nlp).to_disk(last)
            replace_folder(last, output / DIR_MODEL_LAST)
            if best is not None:
                copied = output / f"{DIR_MODEL_BEST}.unfinished"
                shutil.copytree(output / DIR_MODEL_LAST, copied)
                replace_folder(copied, output / DIR_MODEL_BEST)
                self.best = best

    def is_due(self, step: int) -> bool:
        """Tell whether it is time to save the state."""
        if self.save_every is not None:
            return step > 0 and step % self.save_every == 0
        now = time.perf_counter()
        return now - self.saved_at >= PAUSE and self.costs + self.cost <= SHARE * (now - self.start)

    def save(self, info: dict[str, Any]) -> None:
        """Save the state after a step."""
        begin = time.perf_counter()
        progress = {
            "step": info["step"],
            "seconds": self.seconds(),
            "losses": dict(info["losses"]),
            "evaluations": self.pipeline.evaluations,
            "trail": self.trail.to_list(),
            "best": self.best,
        }
        with self.folder.writing():
            self.folder.keep_best(self.best)
            save_state(
                self.folder.state,
                self.nlp,
                self.optimizer,
                frozen=self.frozen,
                n_strings=self.n_strings,
                progress=progress,
            )
            self.folder.keep_best_only(self.best)
        self.saved_at = time.perf_counter()
        self.cost = self.saved_at - begin
        self.costs += self.cost

    def go_on(self, info: dict[str, Any]) -> None:
        """Restore the state of an earlier process after the last step that it saved."""
        if self.state is None or info["step"] < self.state.progress["step"]:
            return
        self.trail.go_on()
        info["losses"].update(self.state.progress["losses"])  # those that the loop adds up
        with self.folder.reading(self.folder.state):
            self.state.restore(self.nlp, self.optimizer)
        self.pipeline.repeats = False
        self.silence(False)
        self.start = self.saved_at = time.perf_counter()

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """End after a step, and not at once, when the process is interrupted or terminated for the first time."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def notice(number: int, frame: Any) -> None:
            self.signal = number
            signal.signal(number, before[number])

        before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, notice)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def leave(self) -> None:
        """End the process; the state is saved."""
        self.silence(False)
        text = "Interrupted. The same command goes on after the last step."
        self.stdout.write(Printer(no_print=True).warn(text) + "\n")
        raise SystemExit(128 + (self.signal or 0))
