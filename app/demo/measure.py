#!/usr/bin/env python3
"""Asks both demo models fresh problems through the duet program and prints the table of the README.

    python3 app/demo/measure.py [--each N] [--duet PROGRAM]

Every question goes the way a user's does: a conversation of several turns is held turn by turn, so
that a wrong result also spoils the questions that refer to it. Numbers are among those training
never shows. Needs nothing but Python and a built duet.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from dialogue import exam, is_right
from problems import KINDS, boxed

SEED = 20261124
FAMILIES = ("deepseek", "llama")


def ask(program, folder, family, paper, seed, greedy):
    """The answer to the last question of the paper, as duet's JSON object."""
    command = [program, "--json", "-q", "-m", f"demo-{family}", "--seed", str(seed),
               "--db", os.path.join(folder, f"{seed}.db")] + ["--temp", "0"] * greedy
    for turn, (question, _) in enumerate(paper.history):
        run = subprocess.run(command + ["-c"] * (turn > 0) + ["-p", question],
                             stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if run.returncode not in (0, 9):
            sys.exit(f"{program}: {run.stderr.decode()}")
    return json.loads(run.stdout)


def measure(program, family, papers, greedy):
    """Right answers by kind, and the number of complete chains: opened, closed and boxed."""
    right, complete = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(ask, program, folder, family, paper, seed, greedy)
                for seed, paper in enumerate(papers)]
        for paper, job in zip(papers, jobs):
            said = job.result()
            ended = said["finish_reason"] == "stop"
            right[paper.kind] += ended and is_right(paper, said["answer"])
            complete += ended and bool(said["reasoning"]) and boxed(said["answer"]) is not None
    return right, complete


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=100, help="problems of each kind")
    parser.add_argument("--duet", default="./duet", help="the program")
    args = parser.parse_args()

    columns = [(family, greedy) for family in FAMILIES for greedy in (True, False)]
    papers = {family: exam(family, SEED, KINDS, args.each) for family in FAMILIES}
    results = [measure(args.duet, family, papers[family], greedy) for family, greedy in columns]
    total = args.each * len(KINDS)

    heads = [f"{family}, {'greedy' if greedy else 'as recommended'}" for family, greedy in columns]
    row("", heads)
    row("---", ["---"] * len(columns))
    for kind in KINDS:
        row(kind, [f"{right[kind] / args.each:.0%}" for right, _ in results])
    row(f"**all {total}**", [f"**{sum(right.values()) / total:.1%}**" for right, _ in results])
    row("complete chains", [f"{complete / total:.1%}" if complete else "none"
                            for _, complete in results])


def row(name, cells):
    print("| " + " | ".join([name, *cells]) + " |")


if __name__ == "__main__":
    main()
