"""The folder of a training that can go on: what it was begun with, its state, and the pipelines it writes.

A training may only go on with the config and the files that it was begun with. Of the config, all settings count; of
the files, their content, wherever a setting names one that is read.
"""

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from spacy.training.loop import DIR_MODEL_BEST, DIR_MODEL_LAST
from spacy.util import get_package_path, is_package
from thinc.api import Config

from ..corpora import CorpusError, checksum, replacing
from ..errors import Errors, Warnings
from .state import sync, sync_folder

NAME = "training-state"
LOCK = "lock"
PACKAGES = ("spacy", "thinc", "torch", "numpy", "spacy-transformers", "transformers")
# sections with settings that name what is read, and settings that name what is written or no file at all
SECTIONS = ("corpora", "components", "initialize", "training")
OUTPUTS = ("ids", "cache", "output_file", "factory")
N_SHOWN = 5


class TrainingError(ValueError):
    """A training can't begin or go on."""


class TrainingFolder:
    """The folder that a training writes to. As a context, it is closed to other processes.

    output (Path): The folder; it is made if it is not there.
    config (Config): The config of the training, not interpolated.
    code (Optional[Path]): The Python file of the training.
    use_gpu (int): The number of a GPU, -1 for the CPU.
    """

    def __init__(self, output: Path, config: Config, *, code: Path | None = None, use_gpu: int = -1):
        self.output = output
        self.folder = output / NAME
        self.state = self.folder / "state.zip"
        self._start = self.folder / "start.json"
        self._config = config.interpolate()
        with self.writing():
            self.folder.mkdir(parents=True, exist_ok=True)
        self._now = {
            "settings": _flat(self._config),
            "files": self._files(code),
            "versions": {**_versions(), "device": "CPU" if use_gpu < 0 else "GPU"},
        }
        # the system takes the lock from a process that is killed
        self._lock = FileLock(self.folder / LOCK, timeout=0)

    def __enter__(self) -> "TrainingFolder":
        with self.writing():
            try:
                self._lock.acquire()
            except Timeout as error:
                raise TrainingError(Errors.DN131.format(folder=self.output)) from error
        return self

    def __exit__(self, *_: Any) -> None:
        self._lock.release()

    @cached_property
    def _then(self) -> dict[str, Any]:
        with self.reading(self._start):
            then = json.loads(self._start.read_text(encoding="utf8")) if self._start.exists() else {}
            if not isinstance(then, dict) or not all(isinstance(then.get(kind, {}), dict) for kind in self._now):
                raise ValueError("it is not what a training writes")
            return then

    def _write(self, start: dict[str, Any]) -> None:
        with self.writing(), replacing(self._start) as file:
            file.write(json.dumps(start, ensure_ascii=False, indent=1).encode("utf8"))
            sync(file)
        sync_folder(self.folder)
        self._then = start

    @property
    def can_go_on(self) -> bool:
        """Whether there is a state to go on from. Raises DN113 if it is that of another training."""
        if not self.state.exists():
            return False
        self._check()
        return True

    def is_done(self) -> bool:
        """Tell whether the training is done. Raises DN113 if it was another one that is."""
        if not self._then.get("done") or not (self.output / DIR_MODEL_LAST).exists():
            return False
        self._check()
        return True

    def _check(self) -> None:
        changes = [
            f"{name}: {before} is now {after}" for name, before, after in _compare(self._then, self._now, "settings")
        ]
        changes += [f"the content of {name}" for name, _, _ in _compare(self._then, self._now, "files")]
        if changes:
            shown = "; ".join(changes[:N_SHOWN])
            rest = f"; and {len(changes) - N_SHOWN} more" if len(changes) > N_SHOWN else ""
            raise TrainingError(Errors.DN113.format(folder=self.output, changes=shown + rest))

    def changed_versions(self) -> str:
        """Say which versions are others than those that the training was begun with, which are no reason to stop."""
        if not self.state.exists():
            return ""
        changes = [
            f"{name} {before} is now {after}" for name, before, after in _compare(self._then, self._now, "versions")
        ]
        return Warnings.DN151.format(changes="; ".join(changes)) if changes else ""

    def clear(self) -> None:
        """Forget the training that was begun."""
        with self.writing():
            with contextlib.suppress(TrainingError):  # a damaged file names no logs
                self._remove_logs()
            for path in self.folder.iterdir():
                if path.name != LOCK:
                    _remove(path)
            self._then = {}

    def begin(self) -> None:
        """Write down what the training is begun with, and remove what an interruption left half-written."""
        with self.writing():
            for leftover in (*self.folder.glob(".*.tmp"), *self.folder.glob("*.unfinished")):
                _remove(leftover)
            for name in (DIR_MODEL_BEST, DIR_MODEL_LAST):
                for suffix in (".unfinished", ".old"):
                    _remove(self.output / f"{name}{suffix}")
            self._remove_logs()
        if not self.state.exists():
            logs = [str(path) for path in self._logs() if not path.exists()]
            self._write({**self._now, "logs": logs, "done": False})

    def finish(self) -> None:
        """Write down that the training is done, and remove what would only be needed to go on."""
        self._write({**self._then, "done": True})
        with self.writing():
            self.state.unlink(missing_ok=True)
            self.keep_best_only(None)

    # The best pipeline so far, as it was when the state was saved

    def keep_best(self, step: int | None) -> None:
        """Keep model-best as it is after a step, by hard links where the system has them."""
        kept = self.folder / f"best-{step}"
        if step is None or kept.exists():
            return
        unfinished = self.folder / f"best-{step}.unfinished"
        _remove(unfinished)
        shutil.copytree(self.output / DIR_MODEL_BEST, unfinished, copy_function=_link)
        for path in unfinished.rglob("*"):
            if path.is_file():
                with path.open("rb+") as file:
                    sync(file)
        unfinished.rename(kept)

    def keep_best_only(self, step: int | None) -> None:
        """Remove what was kept of other steps."""
        for kept in self.folder.glob("best-*"):
            if kept.name != f"best-{step}":
                _remove(kept)

    def restore_best(self, step: int | None) -> None:
        """Make model-best what it was when the state was saved."""
        best, unfinished = self.output / DIR_MODEL_BEST, self.output / f"{DIR_MODEL_BEST}.unfinished"
        with self.writing():
            if step is None:
                _remove(best)
            else:
                shutil.copytree(self.folder / f"best-{step}", unfinished, copy_function=_link)
                replace_folder(unfinished, best)

    @contextlib.contextmanager
    def reading(self, path: Path) -> Iterator[None]:
        """Say which file is damaged, if one can't be read."""
        try:
            yield
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise TrainingError(Errors.DN114.format(path=path, reason=error)) from error

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Say where, if something can't be written."""
        try:
            yield
        except (OSError, CorpusError) as error:
            cause: Any = error.__cause__ if isinstance(error, CorpusError) else error
            where = getattr(cause, "filename", None) or self.output
            reason = getattr(cause, "strerror", None) or error
            raise TrainingError(Errors.DN112.format(path=where, reason=reason)) from error

    # What a training is begun with

    def _logs(self) -> list[Path]:
        file = (self._config["training"].get("logger") or {}).get("output_file")
        return [Path(file)] if file else []

    def _remove_logs(self) -> None:
        # written again when the training goes on; spaCy's logger writes to no file that is there
        for path in self._then.get("logs", ()):
            Path(path).unlink(missing_ok=True)

    def _files(self, code: Path | None) -> dict[str, str]:
        named = {"--code": str(code)} if code is not None else {}
        for setting, value in _flat(self._config).items():
            section, name = setting.split(".")[0], setting.split(".")[-1]
            if section not in SECTIONS or name in OUTPUTS or name.startswith("@") or ".logger." in setting:
                continue
            for i, one in enumerate(value if isinstance(value, list) else [value]):
                named[f"{setting}.{i}" if isinstance(value, list) else setting] = one
        contents = {}
        for setting, value in named.items():
            if isinstance(value, str) and value.strip("./\\") and (content := self._content(value)):
                contents[f"{value} ({setting})"] = content
        return contents

    def _content(self, name: str) -> str:
        path = Path(name)
        try:
            if not path.exists():
                if not name.isidentifier() or not is_package(name):
                    return ""
                path = get_package_path(name)
            return checksum(path, without=self.output)
        except (OSError, ValueError):  # no path, or none that can be read: whoever reads it will say so
            return ""


def replace_folder(new: Path, folder: Path) -> None:
    """Put a complete folder in the place of another one."""
    old = folder.with_name(f"{folder.name}.old")
    _remove(old)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        key = f"{prefix}{name}"
        flat |= _flat(value, f"{key}.") if isinstance(value, dict) and value else {key: value}
    return json.loads(json.dumps(flat, default=str))


def _compare(then: dict[str, Any], now: dict[str, Any], kind: str) -> Iterator[tuple[str, Any, Any]]:
    before, after = then.get(kind, {}), now[kind]
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
