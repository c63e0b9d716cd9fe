"""A tiny base model on the disk, and rows to tune it on; random weights, a real tokenizer."""

import json

from tests.tune.tiny import corpus_texts, model_of, tokenizer_of
from untwist.taxonomy import CANONICAL

SETTINGS = (
    "load.bits=16",
    "load.precision=fp32",
    "data.validation=0.0",
    "steps.keep=last",
    "steps.epochs=0",
    "steps.steps=4",
    "steps.batch=4",
    "steps.log_every=1",
    "optim.name=adamw",
)
"""What makes a preset small enough for a test, and keeps its loss, its data and its adapter."""


def base_model(folder, width=32, style="qwen2_5", **more):
    """The folder of a base model; its last layer is scaled so that it can be sure of something."""
    import torch

    tokenizer = tokenizer_of(style)
    model = model_of(tokenizer, width=width, kind="qwen2", **more)
    with torch.no_grad():
        model.lm_head.weight *= 10
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def labelled(path, count=8):
    """Messages, each with one label but every third, which has none; as our own rows."""
    rows = [
        {"id": f"m{n}", "text": text[:48], "labels": [CANONICAL[n].value] if n % 3 else []}
        for n, text in enumerate(corpus_texts(count))
    ]
    return written(path, rows)


def triads(path, count=8):
    """Questions and answers, in both languages."""
    texts = corpus_texts(2 * count)
    rows = [
        {"id": f"t{n}", "instruction": texts[n][:30], "output": texts[n + count][:20]}
        for n in range(count)
    ]
    return written(path, rows)


def written(path, rows):
    """The rows as JSON Lines; the path, as a run takes it."""
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)
