#!/usr/bin/env python3
"""Prints fresh problems for the demo models, a line of JSON each, for `duet eval`.

    python3 app/demo/exam.py [--each N] > exam.jsonl

Numbers are among those training never shows. A follow-up comes with the questions that are asked before
it: each is answered by the model itself, so that a wrong result also spoils what refers to it. Needs
nothing but Python.
"""

import argparse
import json

from dialogue import exam
from problems import KINDS, shown

SEED = 20261124


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=100, help="problems of each kind")
    args = parser.parse_args()
    for n, paper in enumerate(exam("deepseek", SEED, KINDS, args.each), 1):
        *before, last = [question for question, _ in paper.history]
        line = {"id": n, "kind": paper.kind, "problem": last, "answer": shown(paper.value)}
        if before:
            line["before"] = before
        print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
