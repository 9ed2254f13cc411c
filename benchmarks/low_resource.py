"""Low-resource NER: every variant, target size and seed, on the same sentences, in one run.

    python benchmarks/low_resource.py CORPUS VECTORS OUT.jsonl --sizes 10 100 1000 --seeds 0 1 2 --workers 2

CORPUS holds source.spacy, train.spacy, dev.spacy and test.spacy, VECTORS the pipelines `source` and `target` that
`spacy init vectors` made. Each result is one line of OUT; what is there already is not run again. At the end, the mean
and standard deviation of the test F1 are printed as a table.
"""

import argparse
import contextlib
import json
import multiprocessing
import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
LOSS = "components.datnet_ner.loss"
VARIANTS = {
    "spacy-ner": (None, {}),
    "base": ("base.cfg", {}),
    "base+at": ("base.cfg", {f"{LOSS}.adversarial_training": True}),
    "f-transfer": ("datnet_f.cfg", {f"{LOSS}.discriminator": "none", f"{LOSS}.adversarial_training": False}),
    "datnet-f": ("datnet_f.cfg", {}),
    "datnet-p": ("datnet_p.cfg", {}),
}
# training steps by the number of target sentences; 8323 are all of CoNLL-2002 Spanish
STEPS = {10: 1000, 100: 1600, 1000: 2400, 8323: 2400}


def spacy_ner(size: int, seed: int, paths: dict):
    """spaCy's own recommended CPU config for `ner`, with the same vectors and target sentences."""
    from spacy.cli.init_config import init_config

    config = init_config(lang="es", pipeline=["ner"], optimize="efficiency", gpu=False, silent=True)
    config["components"]["tok2vec"]["model"]["embed"]["include_static_vectors"] = True
    config["corpora"]["train"] = {
        "@readers": "spacy-datnet.SourceTargetCorpus.v1",
        "source": None,
        "target": paths["train"],
        "target_count": size,
        "seed": seed,
    }
    config["corpora"]["dev"]["path"] = paths["dev"]
    config["corpora"]["dev"]["gold_preproc"] = True
    config["initialize"]["vectors"] = paths["target_vectors"]
    config["system"]["seed"] = seed
    return config


def run(variant: str, size: int, seed: int, paths: dict, folder: Path) -> dict:
    """Train and evaluate one model; what the training prints goes to a file in `folder`."""
    import spacy
    import torch
    from spacy.cli.train import train
    from spacy.training import Corpus
    from spacy.util import load_config

    torch.set_num_threads(1)
    name = f"{variant}-{size}-{seed}"
    config, changes = VARIANTS[variant]
    if config is None:
        config_path = folder / f"{name}.cfg"
        spacy_ner(size, seed, paths).to_disk(config_path)
        overrides = {}
    else:
        config_path = CONFIGS / config
        overrides = {
            "nlp.lang": "es",
            "paths.train": paths["train"],
            "paths.dev": paths["dev"],
            "paths.vectors": paths["target_vectors"],
            "corpora.train.target_count": size,
            "system.seed": seed,
            **changes,
        }
        if config != "base.cfg":
            overrides |= {
                "paths.source": paths["source"],
                "paths.source_vectors": paths["source_vectors"],
                "training.max_steps": STEPS[size],
            }
    start = time.perf_counter()
    with open(folder / f"{name}.log", "w") as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        train(config_path, folder / name, overrides=overrides)
        seconds = time.perf_counter() - start
        nlp = spacy.load(folder / name / "model-best")
        scores = {}
        for part in ("dev", "test"):
            scores[part] = nlp.evaluate(list(Corpus(paths[part], gold_preproc=True)(nlp)))
    steps = load_config(folder / name / "model-last" / "config.cfg")["training"]["max_steps"]
    return {
        "variant": variant,
        "size": size,
        "seed": seed,
        "max_steps": steps,
        "seconds": round(seconds, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        **{part: {key: score[f"ents_{key}"] for key in "prf"} for part, score in scores.items()},
        "per_type": scores["test"]["ents_per_type"],
    }


def table(results: list[dict]) -> str:
    """Mean and standard deviation of the test F1 over seeds, in percent, as Markdown."""
    sizes = sorted({result["size"] for result in results})
    lines = ["| variant | " + " | ".join(map(str, sizes)) + " |", "|---|" + "---|" * len(sizes)]
    for variant in VARIANTS:
        cells = []
        for size in sizes:
            f1 = [100 * r["test"]["f"] for r in results if r["variant"] == variant and r["size"] == size]
            spread = f" ± {statistics.stdev(f1):.2f}" if len(f1) > 1 else ""
            cells.append(f"{statistics.mean(f1):.2f}{spread}" if f1 else "")
        if any(cells):
            lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000], choices=STEPS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    paths = {part: str(args.corpus / f"{part}.spacy") for part in ("source", "train", "dev", "test")}
    paths |= {f"{part}_vectors": str(args.vectors / part) for part in ("source", "target")}
    results = [json.loads(line) for line in args.out.open()] if args.out.exists() else []
    done = {(r["variant"], r["size"], r["seed"]) for r in results}
    folder = args.out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (variant, size, seed)
        for variant in args.variants
        for seed in args.seeds
        for size in args.sizes
        if (variant, size, seed) not in done
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(args.workers, mp_context=context, max_tasks_per_child=1) as pool:
        futures = [pool.submit(run, *job, paths, folder) for job in jobs]
        for future in as_completed(futures):
            result = future.result()
            results.append(result)
            with args.out.open("a") as file:
                file.write(json.dumps(result) + "\n")
            name = " ".join(str(result[key]) for key in ("variant", "size", "seed"))
            print(f"{name}: {100 * result['test']['f']:.2f} in {result['seconds']} s", flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
