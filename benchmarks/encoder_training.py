"""Training throughput of the encoder detector, beside a plain Trainer of transformers.

    python benchmarks/encoder_training.py --out results/benchmark-encoder

Claim: `fit_encoder` trains at least as many texts a second as a Trainer does on the same network
(XLM-R's architecture with random weights), texts, tokens, batch, optimiser and gradient clipping;
the Trainer as it comes, and with its own grouping by length. Both are timed from raw texts to the
end of the last epoch, in CPU seconds of one thread, which other programs on the machine disturb
least. The ways take turns, medians with their spread. Random weights: nothing here says how well a
detector hears. Needs the extra "finetune".
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from untwist.data import load_open
from untwist.detect import EncoderConfig, Example

ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
}  # fmt: skip
VOCABULARY = 8_000
REPEATS = 3


@dataclass(frozen=True)
class Size:
    """A network and how many texts it is timed on."""

    name: str
    width: int
    layers: int
    texts: int
    epochs: int


SIZES = (Size("tiny", 64, 2, 1_024, 2), Size("medium", 256, 6, 192, 1))


def examples() -> list[Example]:
    """The messages of the open corpus, in a drawn order."""
    found = [
        Example(d.utterances[0], d.labels[0], d.group)
        for d in load_open()
        if d.labels[0] is not None
    ]
    return [found[i] for i in np.random.default_rng(0).permutation(len(found))]


def tokenizer(texts: list[str]) -> Any:  # noqa: ANN401
    """Byte-level BPE on those texts, with XLM-R's special tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False),
    )
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>", model_max_length=512,
    )  # fmt: skip


def base(size: Size, own: Any) -> Any:  # noqa: ANN401
    """The encoder, the same weights each time."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    from untwist.detect.encoder import Base

    torch.manual_seed(0)
    settings = XLMRobertaConfig(
        vocab_size=VOCABULARY, hidden_size=size.width, num_hidden_layers=size.layers,
        num_attention_heads=size.width // 32, intermediate_size=4 * size.width,
        max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
    )  # fmt: skip
    return Base(XLMRobertaModel(settings, add_pooling_layer=False), own)


def ours(config: EncoderConfig, rows: list[Example], start: Any) -> float:  # noqa: ANN401
    """CPU seconds of `fit_encoder`."""
    from untwist.detect import fit_encoder

    began = time.process_time()
    fit_encoder({"open": rows}, config, base=start)
    return time.process_time() - began


def trainer(size: Size, config: EncoderConfig, rows: list[Example], start: Any, by: str) -> float:  # noqa: ANN401
    """CPU seconds of a Trainer on the same network, with the same loss."""
    import torch
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    from untwist.detect.encoder import Network

    class Model(torch.nn.Module):
        """The network with its loss inside, as a Trainer asks."""

        def __init__(self) -> None:
            super().__init__()
            self.network = Network(start.body, 1, config.outputs.count, "mean", config.dropout)

        def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, Any]:  # noqa: ANN401
            logits = self.network(input_ids, attention_mask, 0)
            gold, mask = labels.chunk(2, dim=1)
            cells = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, gold, reduction="none"
            )
            return {"loss": (cells * mask).sum() / mask.sum()}

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, num_train_epochs=size.epochs, learning_rate=config.learning_rate,
            per_device_train_batch_size=config.batch, max_grad_norm=config.clip,
            weight_decay=config.weight_decay, lr_scheduler_type="constant", use_cpu=True,
            train_sampling_strategy=by, save_strategy="no", logging_strategy="no", report_to="none",
            disable_tqdm=True, seed=config.seed,
        )  # fmt: skip
        began = time.process_time()
        gold, mask = config.outputs.targets([one.labels for one in rows])
        read = start.tokenizer(
            [one.utterance.text for one in rows], truncation=True, max_length=config.max_length
        )
        known = np.concatenate([gold, mask], axis=1)
        data = [
            {"input_ids": ids, "attention_mask": real, "labels": label}
            for ids, real, label in zip(
                read["input_ids"], read["attention_mask"], known.tolist(), strict=True
            )
        ]
        Trainer(
            model=Model(), args=arguments, train_dataset=data,
            data_collator=DataCollatorWithPadding(start.tokenizer),
        ).train()  # fmt: skip
        return time.process_time() - began


def measure(size: Size, rows: list[Example], own: Any) -> dict[str, Any]:  # noqa: ANN401
    """Texts a CPU second of each way, the ways taking turns."""
    config = EncoderConfig(
        encoder="random weights", device="cpu", clip=1.0, patience=0, epochs=size.epochs,
        learning_rate=1e-4,
    )  # fmt: skip
    part = rows[: size.texts]
    ways: dict[str, Callable[[], float]] = {
        "untwist": lambda: ours(config, part, base(size, own)),
        "Trainer, as it comes": lambda: trainer(size, config, part, base(size, own), "random"),
        "Trainer, grouped by length": lambda: trainer(
            size, config, part, base(size, own), "group_by_length"
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS + 1):
        for name, way in ways.items():
            seconds[name].append(way())
    # the first round warms up whatever the others share
    rates = {
        name: [size.texts * size.epochs / s for s in found[1:]] for name, found in seconds.items()
    }
    lengths = [len(one) for one in own([e.utterance.text for e in part])["input_ids"]]
    return {
        "network": f"{size.layers} layers of {size.width}",
        "texts": size.texts,
        "epochs": size.epochs,
        "tokens": {"median": int(statistics.median(lengths)), "max": max(lengths)},
        "texts_per_s": {name: spread(found) for name, found in rates.items()},
        "times_as_fast": {
            name: spread([a / b for a, b in zip(rates["untwist"], found, strict=True)])
            for name, found in rates.items()
            if name != "untwist"
        },
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {
        "median": round(statistics.median(values), 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
    }


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    lines = [
        "# Training throughput of the encoder detector",
        "",
        f"Command: `{found['command']}`. Machine: {found['machine']}.",
        "",
        f"XLM-R's architecture with random weights, {VOCABULARY:,} tokens in the vocabulary, batch "
        "16, at most 200 tokens a text, fused AdamW, gradients clipped at 1; messages of the open",
        f"corpus. CPU seconds of one thread; the ways took turns, {REPEATS} rounds after one to "
        "warm up. Random weights show what a step costs; nothing here says how well a detector "
        "hears.",
    ]
    for name, one in found["sizes"].items():
        lines += [
            "",
            f"## {name}: {one['network']}",
            "",
            f"{one['texts']:,} texts, {one['epochs']} epochs; {one['tokens']['median']} tokens in "
            f"the median, {one['tokens']['max']} at most.",
            "",
            "| way | texts/s, median | min | max |",
            "|---|---|---|---|",
            *(
                "| {0} | {median} | {min} | {max} |".format(way, **rate)
                for way, rate in one["texts_per_s"].items()
            ),
            "",
            *(
                "untwist, times as fast as {0}: {median} ({min} to {max}), round by round.".format(
                    way, **rate
                )
                for way, rate in one["times_as_fast"].items()
            ),
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything and write metrics.json and report.md."""
    if os.environ.get("HF_HUB_OFFLINE") != "1" or os.environ.get("OMP_NUM_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    import torch
    import transformers

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", default=",".join(size.name for size in SIZES))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    rows = examples()
    own = tokenizer([one.utterance.text for one in rows])
    chosen = arguments.sizes.split(",")
    found = {
        "command": f"python benchmarks/encoder_training.py --out {arguments.out}"
        f" --sizes {arguments.sizes}",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, transformers "
        f"{transformers.__version__}",
        "sizes": {size.name: measure(size, rows, own) for size in SIZES if size.name in chosen},
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (arguments.out / "metrics.json").write_text(text, encoding="utf-8")
    (arguments.out / "report.md").write_text(report(found), encoding="utf-8")
    print(report(found))


if __name__ == "__main__":
    main()
