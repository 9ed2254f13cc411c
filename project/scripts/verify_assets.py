"""Check that every asset of project.yml is there and has its checksum; exit with 1 if not.

`spacy project assets` never replaces a file that exists and exits with 0 on a wrong checksum, so this comes first.
"""

import hashlib
from pathlib import Path

import srsly
from wasabi import Printer


def main() -> None:
    """Print what is wrong with each asset."""
    msg = Printer()
    wrong = False
    for asset in srsly.read_yaml("project.yml")["assets"]:
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
    main()
