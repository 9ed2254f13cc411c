"""Messages of grids and their runs: DN3xx."""


class Errors:
    """Messages of exceptions."""

    DN301 = "{path} can't be read as a grid: {reason}. It is a YAML file, see `python -m spacy_datnet run --help`."
    DN302 = "{path}: {problems}. See `python -m spacy_datnet run --help`, and the grids of the project for examples."
    DN303 = "{path}: there is no config at {config}. Check the path; it is looked up from {folder}."
    DN304 = "{path}: {size!r} is not a size. Give a number of sentences, a share between 0.0 and 1.0, or all."
    DN305 = (
        "{path}, line {line}: this is no record of a run ({reason}). Remove the line, or name another folder for the "
        "runs; a file that can't be read at all is replaced by a copy of it, or removed."
    )
    DN306 = "The process ended with code {code} and no result; a negative code is a signal, -9 often means no memory."
    DN307 = 'The engine "ray" needs the package ray. Install it with `pip install "spacy-datnet[ray]"`.'
    DN308 = "{path}: in {where}, there is {name!r}, which is not a name of this grid. It has: {known}."
    DN309 = "{folder} holds no runs. Make some with: python -m spacy_datnet run GRID {folder}"
    DN310 = "There is no variant {base!r} to compare with. The grid has: {known}."
    DN311 = 'This needs the package {package}. Install it with `pip install "spacy-datnet[experiments]"`.'
    DN312 = "Another process does runs in {folder}. Wait for its end, or name another folder."
    DN313 = "There is no folder {folder} to reuse runs from. Name a folder of runs, or one that holds such."
    DN314 = "{path}: the config {config} can't be read: {reason}. See `python -m spacy debug config {config}`."
    DN315 = "{path}, line {line}: {problems}. Remove the line; the run is then done again."
    DN316 = "{path} is not what `run` writes: {problems}. Remove it, and give the command of the grid again."
    DN317 = "{path}: {reason}. Look at the free space of the disk and at the permissions."
    DN318 = "{path} can't be read as predictions. Remove the folder it is in, and its record, to do the run again."
