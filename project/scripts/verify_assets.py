"""Check that the assets of project.yml are there and have their checksums; exit with 1 if not.

Without arguments these are all assets, otherwise those whose path begins with one of the arguments.

`spacy project assets` never replaces a file that exists and exits with 0 on a wrong checksum, so this comes first.
"""

import hashlib
import sys
from pathlib import Path

import srsly
from wasabi import Printer


def main(beginnings: list[str]) -> None:
    """Print what is wrong with each asset, or with those whose path begins so."""
    msg = Printer()
    wrong = False
    assets = srsly.read_yaml("project.yml")["assets"]
    for beginning in beginnings:
        if not any(asset["dest"].startswith(beginning) for asset in assets):
            wrong = True
            msg.fail(f"There is no asset {beginning} in project.yml. Add it there.")
    for asset in assets:
        if beginnings and not asset["dest"].startswith(tuple(beginnings)):
            continue
        path, checksum = Path(asset["dest"]), asset.get("checksum")
        if not path.exists():
            wrong = True
            how = "Run `spacy project assets`." if "url" in asset else "It has no public URL: put your own there."
            msg.fail(f"{path} is missing. {how}", asset["description"])
        elif checksum and hashlib.md5(path.read_bytes()).hexdigest() != checksum:
            wrong = True
            msg.fail(f"{path} is not the published file. Delete it and run `spacy project assets`.")
        else:
            msg.good(str(path))
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
