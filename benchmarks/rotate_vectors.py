"""Multiply word vectors by a random orthogonal matrix, so that two aligned languages are not aligned any more.

python benchmarks/rotate_vectors.py VECTORS OUT --seed 0
"""

import argparse

import numpy
import spacy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", help="a pipeline with vectors")
    parser.add_argument("out", help="the directory to write")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    nlp = spacy.load(args.vectors)
    table = nlp.vocab.vectors.data
    gaussian = numpy.random.RandomState(args.seed).normal(size=(table.shape[1],) * 2)
    rotation, _ = numpy.linalg.qr(gaussian)
    nlp.vocab.vectors.data = (table @ rotation).astype("float32")
    nlp.to_disk(args.out)


if __name__ == "__main__":
    main()
