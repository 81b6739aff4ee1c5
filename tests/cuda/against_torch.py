#!/usr/bin/env python3
"""Full-size models of random weights against PyTorch transformers, on a machine with a GPU.

    against_torch.py DUET RELEASE...

A RELEASE is a folder with the config.json and the tokeniser of a Hugging Face release. Weights are
drawn, written beside copies of these, and read by both. How far the logits are from transformers' in
float32 is printed, for duet and for transformers in bfloat16; duet must be within 1e-2 and nearer.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import torch
from transformers import AutoConfig, AutoModelForCausalLM

TOKENS = 64


def write_model(release, folder):
    config = AutoConfig.from_pretrained(release)
    torch.manual_seed(2026)
    with torch.device("cuda"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for name, p in model.named_parameters():
        if name.endswith("norm.weight"):
            p.data.uniform_(0.7, 1.3)
        elif name.endswith("bias"):
            p.data.normal_(0, 5 if "k_proj" in name else 0.5)
        else:
            p.data.normal_(0, 1 / p.shape[1] ** 0.5)
    model.to(torch.bfloat16).save_pretrained(folder, max_shard_size="2GB")
    for file in pathlib.Path(release).iterdir():
        if file.name == "config.json" or "token" in file.name:
            shutil.copy(file, folder)
    return config


def logits_of(folder, tokens, dtype):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).cuda().eval()
    with torch.no_grad():
        return model(torch.tensor([tokens]).cuda()).logits[0, -1].double().cpu()


def distance(a, b):
    return ((a - b).norm() / b.norm()).item()


def duet_logits(duet, folder, tokens, *more):
    run = subprocess.run([duet, "inspect", "logits", "-m", str(folder), "--cuda", *more],
                         input=json.dumps({"tokens": tokens}) + "\n", capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    return torch.tensor(json.loads(run.stdout)["logits"], dtype=torch.float64)


def main(duet, releases):
    torch.backends.cuda.matmul.allow_tf32 = False
    failed = False
    for release in releases:
        with tempfile.TemporaryDirectory() as folder:
            config = write_model(release, folder)
            tokens = [(7919 * i + 13) % (config.vocab_size - 2000) for i in range(TOKENS)]
            reference = logits_of(folder, tokens, torch.float32)
            theirs = distance(logits_of(folder, tokens, torch.bfloat16), reference)
            ours = distance(duet_logits(duet, folder, tokens), reference)
            print(f"{config.model_type}: transformers in bfloat16 {theirs:.2e}, duet {ours:.2e}",
                  flush=True)
            failed |= not (ours <= 1e-2 and ours <= theirs)
    return failed


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
