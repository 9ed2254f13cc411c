"""Put the word vectors of two languages, which lie in one space, into one file, for components with a single table."""

import gzip
from pathlib import Path
from typing import Annotated

import typer


def join(
    first: Annotated[Path, typer.Argument(help="A .vec or .vec.gz file; of words in both, its vectors are taken.")],
    second: Annotated[Path, typer.Argument(help="Another one, of the same width.")],
    output: Annotated[Path, typer.Argument(help="The .vec.gz file to write.")],
) -> None:
    """Write all words of the first file, then those of the second that are new."""
    rows: dict[str, str] = {}
    widths = set()
    for path in (first, second):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf8", newline="\n") as file:
            widths.add(next(file).split()[1])
            for line in file:
                rows.setdefault(line.split(" ", 1)[0], line)
    if len(widths) > 1:
        raise typer.BadParameter(f"the vectors of {first} and {second} have {' and '.join(sorted(widths))} numbers")
    output.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(output, "wt", encoding="utf8", newline="\n") as file:
        file.write(f"{len(rows)} {widths.pop()}\n")
        file.writelines(rows.values())


if __name__ == "__main__":
    typer.run(join)
