"""What is saved of a component is checked as it is loaded."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from spacy.pipeline import TrainablePipe
from spacy.util import ensure_path

from ..errors import Errors
from ..models.shim import check_finite

MODEL, SUM = "model", ".sha256"


class CheckedPipe(TrainablePipe):
    """A trainable component that refuses damaged weights, also those of the Thinc layers of its model."""

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Save the component, and beside its model the checksum of that."""
        super().to_disk(path, exclude=exclude)
        if "model" not in exclude:
            file = ensure_path(path) / MODEL
            file.with_suffix(SUM).write_text(sha256(file.read_bytes()).hexdigest(), encoding="utf8")

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "CheckedPipe":
        """Load the component; raise DN067 if its model is damaged."""
        file = ensure_path(path) / MODEL
        checked = "model" not in exclude and file.with_suffix(SUM).exists()
        if checked and file.with_suffix(SUM).read_text(encoding="utf8") != sha256(file.read_bytes()).hexdigest():
            raise ValueError(Errors.DN067.format(name=self.name, path=file))
        super().from_disk(path, exclude=exclude)
        return self._check_weights()

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "CheckedPipe":
        """Load the component; raise DN065 or DN066 if weights are damaged."""
        super().from_bytes(bytes_data, exclude=exclude)
        return self._check_weights()

    def _check_weights(self) -> "CheckedPipe":
        check_finite(
            (f"{node.name}.{name}", bool(node.ops.xp.isfinite(node.get_param(name)).all()))
            for node in self.model.walk()
            for name in node.param_names
            if node.has_param(name)
        )
        return self
