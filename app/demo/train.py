#!/usr/bin/env python3
"""Trains one demo model from random weights and writes it as GGUF.

    python3 app/demo/train.py deepseek|llama [--steps N] [--out FILE] [--wrong FILE]

Needs one GPU and PyTorch 2.6 or later. Batch i depends on the seed and i alone, so a run sees the
same data whatever the number of CPU cores. Prints the loss, then how many fresh problems of each
kind the quantised model gets right. `--tiny` runs on any CPU in a minute, to test the script.
"""

import argparse
import collections
import os
import random
import time

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

import model as models
from dialogue import MANNERS, Format, build_tokenizer, exam, is_right
from problems import KINDS, boxed

SEED, EXAM_SEED = 1, 2
SAMPLING = {"deepseek": (0.6, 0.95), "llama": (0.6, 0.9)}


class Batches(Dataset):
    """Rows of conversations laid end to end; one that the end of a row cuts opens the next anew."""

    def __init__(self, form, steps, rows, length):
        self.form, self.steps, self.rows, self.length = form, steps, rows, length

    def __len__(self):
        return self.steps

    def __getitem__(self, i):
        rng = random.Random(f"{self.form.tokenizer.family}/{SEED}/{i}")
        tokens, learned, cut = [], [], None
        for end in range(self.length, self.rows * self.length + 1, self.length):
            while len(tokens) < end:
                sample = cut or self.form.sample(rng)
                tokens += sample[0]
                learned += sample[1]
                cut = sample if end < len(tokens) and len(sample[0]) <= self.length else None
            del tokens[end:], learned[end:]
        size = (self.rows, self.length)
        return torch.tensor(tokens, dtype=torch.int16).view(size), torch.tensor(learned).view(size)


def document_attention(begin, rows, length, device):
    """(see, attend): attention within each conversation; see(tokens) makes a batch's mask."""
    documents = torch.zeros((rows, length), dtype=torch.int32, device=device)

    def same(b, _head, q, k):
        return (q >= k) & (documents[b, q] == documents[b, k])

    if device == "cpu":
        row, at = torch.arange(rows)[:, None, None], torch.arange(length)
        mask, attend = lambda: same(row, 0, at[:, None], at)[:, None], models.plain_attention
    else:
        from torch.nn.attention.flex_attention import create_block_mask, flex_attention
        block_mask = torch.compile(create_block_mask)
        mask = lambda: block_mask(same, rows, None, length, length, device=device)
        attend = lambda q, k, v, m: flex_attention(q, k, v, block_mask=m, enable_gqa=True)

    def see(tokens):
        documents.copy_((tokens == begin).cumsum(1))
        return mask()

    return see, attend


def optimiser(model, rate):
    """AdamW; only matrices decay."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    fused = {"fused": True} if matrices[0].is_cuda else {}
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), eps=1e-9, **fused)


def train(model, form, args, device):
    data = Batches(form, args.steps, args.rows, args.length + 1)
    batches = iter(DataLoader(data, batch_size=None, num_workers=args.workers, prefetch_factor=8))
    model.to(device)
    see, attention = document_attention(form.begin, args.rows, args.length, device)
    amp = torch.autocast(device, torch.bfloat16, enabled=device == "cuda")

    def loss_of(tokens, targets, mask):
        with amp:
            logits = model(tokens, lambda _, q, k, v: attention(q, k, v, mask))
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-1)

    if device == "cuda":
        loss_of = torch.compile(loss_of, dynamic=False)
    optimizer = optimiser(model, args.rate)
    started, losses = time.time(), []
    for step, (rows, learned) in enumerate(batches):
        rows = rows.to(device, non_blocking=True).long()
        learned = learned.to(device, non_blocking=True)
        targets = rows[:, 1:].masked_fill(~learned[:, 1:], -1).contiguous()
        tokens = rows[:, :-1].contiguous()
        rate = args.rate * min((step + 1) / args.warmup,
                               (args.steps - step) / (args.steps - args.warmup))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(tokens, targets, see(tokens))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach())
        if (step + 1) % args.report == 0:
            mean = torch.stack(losses).mean().item()
            spent = time.time() - started
            pace = (step + 1) * rows.numel() / spent / 1e6
            print(f"step {step + 1:6}  loss {mean:.5f}  {pace:.2f} M tokens/s  {spent:.0f} s",
                  flush=True)
            losses.clear()


def examine(model, form, kinds, each, temperature=0.0, top_p=1.0):
    """Prints the share of fresh questions of each kind that go right; returns the wrong ones."""
    papers = exam(form.tokenizer.family, EXAM_SEED, kinds, each)
    prompts = [form.prompt(paper.history) for paper in papers]
    written = models.generate(model, prompts, form.end, 800, temperature, top_p)
    right, complete, wrong = collections.Counter(), 0, []
    for paper, tokens in zip(papers, written):
        ended = form.end in tokens
        text = form.tokenizer.decode(tokens[:tokens.index(form.end)] if ended else tokens)
        complete += ended and text.count("</think>") == 1 and boxed(text) is not None
        correct = ended and is_right(paper, text.split("</think>")[-1])
        right[paper.kind] += correct
        if not correct:
            wrong.append(f"{paper.kind}: {paper.history[-1][0]!r}, not {paper.answer!r}\n{text}\n")
    print(f"temperature {temperature}: right {sum(right.values()) / len(papers):.1%}, "
          f"complete chains {complete / len(papers):.1%} of {len(papers)}")
    for kind in kinds:
        print(f"  {kind:16} {right[kind] / each:.1%}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=("deepseek", "llama"))
    parser.add_argument("--steps", type=int, default=7000, help="batches")
    parser.add_argument("--rows", type=int, default=32, help="rows of a batch")
    parser.add_argument("--length", type=int, default=models.CONTEXT, help="tokens of a row")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--workers", type=int, default=min(7, os.cpu_count()))
    parser.add_argument("--report", type=int, default=250)
    parser.add_argument("--each", type=int, default=200, help="problems of each kind in the exam")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--out", help="the GGUF file (default: beside this script)")
    parser.add_argument("--wrong", default=os.devnull, help="a file for the exam's wrong answers")
    args = parser.parse_args()
    out = args.out or os.path.join(os.path.dirname(__file__), f"demo-{args.family}.gguf")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(SEED)

    tokenizer = build_tokenizer(args.family)
    form = Format(tokenizer)
    shape = models.shape(args.family, len(tokenizer))
    if args.tiny:
        args.steps, args.warmup, args.report = 30, 5, 10
        args.rows, args.length, args.each = 2, 256, 2
        shape = shape._replace(width=128, layers=2, heads=2, kv_heads=1, ffn=64)
    model = models.Model(shape)
    weights = sum(parameter.numel() for parameter in model.parameters())
    print(f"{args.family}: {weights:,} weights, {len(tokenizer)} tokens")
    train(model, form, args, device)
    models.quantise(model)
    models.export(out, model, tokenizer, SAMPLING[args.family])
    print(f"{out}: {os.path.getsize(out):,} bytes")
    wrong = examine(model, form, KINDS, args.each) + examine(model, form, MANNERS, args.each)
    wrong += examine(model, form, KINDS, args.each, *SAMPLING[args.family])
    with open(args.wrong, "w") as file:
        file.write("\n".join(wrong))


if __name__ == "__main__":
    main()
