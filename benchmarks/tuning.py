"""Speed of tuning a language model, beside plain TRL on the same samples.

    python benchmarks/tuning.py --out results/benchmark-tuning

Claim: samples per second are not below those of TRL's SFTTrainer, as it comes and with its own
grouping by length, for the same model, adapter, samples, batch and optimizer. The models have
random weights and the shapes of Qwen2.5 made small: one whose last layer is as large a part of it
as that of a model of half a billion, one as that of a model of seven billion. The samples are the
open dialogues as the preset `copollm` makes them: labels and replies, with histories. The tokenizer
is byte-level BPE trained on them. Every trainer has a process of its own, and in it a new model for
every run; one thread; seconds of processor time, which on an idle machine are those of the clock;
tokens are counted in the rows that each trainer made.

What is learned means nothing: the models are random, and the runs are short. With a GPU at hand,
`--device cuda --shape half-billion --bits 4` measures a model of that size; seconds are then those
of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from untwist.recipes.llm_samples import Sources, prepare
from untwist.tune import Objective, Sample, encode_all, preset_file
from untwist.tune.config import LoadConfig, LoraConfig

REPEATS = 3
SEED = 1
ONE_THREAD = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
RUNS = ("untwist", "untwist, shuffled", "TRL", "TRL, group_by_length")
MAX_LENGTH = 2048
SHAPES = {
    "as half a billion": {
        "hidden_size": 128, "num_hidden_layers": 6, "vocab_size": 6_000,
        "tie_word_embeddings": True,
    },
    "as seven billion": {"hidden_size": 192, "num_hidden_layers": 6, "vocab_size": 1_500},
    "half-billion": {
        "hidden_size": 896, "num_hidden_layers": 24, "vocab_size": 151_936,
        "tie_word_embeddings": True,
    },
}  # fmt: skip
SMALL = tuple(SHAPES)[:2]
TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
SPLIT = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def samples_of(count: int) -> list[Sample]:
    """The first samples of a shuffle of the open dialogues' train part."""
    import numpy as np

    from untwist.recipes.train_llm import read_preset

    config = read_preset(str(preset_file("copollm"))).data
    read = prepare(Sources(("open-dialogues",), seed=SEED), config)
    found = read.models["model"].train
    chosen = np.random.default_rng(SEED).permutation(len(found))[:count]
    return [found[n] for n in chosen]


def tokenizer_of(samples: list[Sample], size: int) -> Any:  # noqa: ANN401
    """Byte-level BPE with a template of ChatML."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=min(size, 8_000) - 3,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [part for s in samples for part in (s.target, *(m.content for m in s.messages))]
    inner.train_from_iterator(texts, trainer)
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    inner.add_special_tokens([AddedToken(token, special=True) for token in special])
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    made.chat_template = TEMPLATE
    return made


def model_of(
    tokenizer: Any,  # noqa: ANN401
    arguments: argparse.Namespace,
    folder: Path,
) -> Any:  # noqa: ANN401
    """A random model of the shape, with the adapter of the preset `copollm`."""
    import torch
    import transformers

    from untwist.recipes.train_llm import read_preset
    from untwist.tune.lora import adapt, load_model

    shape = SHAPES[arguments.shape]
    config = transformers.Qwen2Config(
        **shape,
        intermediate_size=5 * shape["hidden_size"],
        num_attention_heads=shape["hidden_size"] // 64 * 2,
        num_key_value_heads=2,
        max_position_embeddings=MAX_LENGTH,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(SEED)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    load = LoadConfig(arguments.bits, arguments.precision)
    lora: LoraConfig = read_preset(str(preset_file("copollm"))).lora
    return adapt(load_model(str(folder), load), lora, SEED)


def settings(folder: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What both trainers are told."""
    return {
        "output_dir": folder,
        "per_device_train_batch_size": arguments.batch,
        "num_train_epochs": 1,
        "learning_rate": 2e-4,
        "max_grad_norm": 0.3,
        "optim": "adamw_torch",
        "logging_steps": 10,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "bf16": arguments.precision == "bf16",
        "activation_checkpointing": False,
        "use_cpu": arguments.device == "cpu",
        "dataloader_pin_memory": False,
        "max_length": MAX_LENGTH,
        "seed": SEED,
    }


def trainer_of(which: str, samples: list[Sample], arguments: argparse.Namespace) -> Any:  # noqa: ANN401
    """Ours, or TRL's as its users write it."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from untwist.tune.trainer import TuneTrainer

    folder = tempfile.mkdtemp()
    tokenizer = tokenizer_of(samples, SHAPES[arguments.shape]["vocab_size"])
    model = model_of(tokenizer, arguments, Path(folder) / "base")
    told = settings(folder, arguments)
    if which.startswith("untwist"):
        train, _ = encode_all(samples, tokenizer, MAX_LENGTH)
        return TuneTrainer(
            model,
            SFTConfig(**told),
            train=train,
            tokenizer=tokenizer,
            objective=Objective("dsco"),
            grouped="shuffled" not in which,
        )
    if "group_by_length" in which:
        told["train_sampling_strategy"] = "group_by_length"
    rows = {
        "prompt": [[m.to_dict() for m in s.messages] for s in samples],
        "completion": [[{"role": "assistant", "content": s.target}] for s in samples],
    }
    return SFTTrainer(
        model, SFTConfig(**told), train_dataset=Dataset.from_dict(rows), processing_class=tokenizer
    )


def measured(which: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Several runs in this process, each with a model and a trainer of its own."""
    import torch

    torch.set_num_threads(1)
    samples = samples_of(arguments.samples)
    clock = time.process_time if arguments.device == "cpu" else time.perf_counter
    ready, train = [], []
    for _ in range(arguments.repeats):
        start = clock()
        trainer = trainer_of(which, samples, arguments)
        begun = clock()
        trainer.train()
        ready.append(begun - start)
        train.append(clock() - begun)
    data = trainer.train_dataset
    learned = sum(label != -100 for labels in data["labels"] for label in labels)
    inner = trainer.accelerator.unwrap_model(trainer.model)
    head = inner.get_output_embeddings().weight.numel()
    if arguments.device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "what": which,
        "shape": arguments.shape,
        "weights": inner.num_parameters(),
        "last_layer_share": round(head / inner.num_parameters(), 3),
        "samples": len(samples),
        "tokens": sum(map(len, data["input_ids"])),
        "target_tokens": learned,
        "steps": trainer.state.global_step,
        "ready_s": spread(ready),
        "train_s": spread(train),
        "samples_per_s": spread([len(samples) / seconds for seconds in train]),
        "target_tokens_per_s": spread([learned / seconds for seconds in train]),
        "peak_mb": round(peak),
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    found = (statistics.median(values), min(values), max(values))
    return {name: round(v, 2) for name, v in zip(("median", "min", "max"), found, strict=True)}


def all_ways(shape: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All ways of training, each in a new process."""
    found = []
    for which in RUNS:
        command = [sys.executable, __file__, "--one", which, "--shape", shape]
        for name in ("samples", "batch", "repeats", "device", "bits", "precision"):
            command += [f"--{name}", str(getattr(arguments, name))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"{shape}: {which}: {found[-1]['train_s']['median']:.1f} s", file=sys.stderr)
    return found


def row(run: dict[str, Any]) -> str:
    """A line of the table."""
    rate, learned, took = run["samples_per_s"], run["target_tokens_per_s"], run["train_s"]
    return (
        f"| {run['shape']} | {run['what']} | {rate['median']:.2f} ({rate['min']:.2f}–"
        f"{rate['max']:.2f}) | {learned['median']:,.0f} | {took['median']:.1f} | "
        f"{run['peak_mb']:,} | {run['target_tokens']:,} |"
    )


def report(found: dict[str, Any]) -> str:
    """The figures as a page."""
    runs, first = found["runs"], found["runs"][0]
    sizes = {run["shape"]: run for run in runs}
    told = "; ".join(
        f"{name}: {run['weights']:,} weights, {run['last_layer_share']:.0%} of them in the last "
        f"layer, {run['tokens']:,} tokens"
        for name, run in sizes.items()
    )
    lines = [
        "# Speed of tuning, beside plain TRL on the same samples",
        "",
        f"Command: `{found['command']}`. Machine: {found['machine']}.",
        f"Tiny random-weight models: this shows speed and is no result of any model. {told}. "
        f"{first['samples']:,} samples of the open dialogues, {first['steps']:,} steps; "
        "adapter, batch, optimizer and tokenizer are the same for all. "
        f"One epoch, {found['repeats']} runs, one thread, seconds of processor time; brackets "
        "hold the slowest and the fastest run.",
        "",
        "| shape | trainer | samples/s | target tokens/s | s | peak MB | target tokens |",
        "|---|---|---:|---:|---:|---:|---:|",
        *map(row, runs),
        "",
        "TRL: `SFTTrainer` on rows of prompt and completion, loss on the completion alone, as it "
        'comes, and with `train_sampling_strategy="group_by_length"`. Its targets hold one token '
        "more each: the line break that the template puts after the end of a turn. Its packing "
        "needs FlashAttention and is not measured here. On a CPU TRL computes the last layer for "
        "every position, on a GPU for those of the targets, as this trainer does on both: there "
        "only what is saved in padding remains.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure everything and write metrics.json and report.md."""
    if os.environ.get("OMP_NUM_THREADS") != "1":  # torch reads it when it is first imported
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shape", choices=SHAPES, help="one alone; both small ones otherwise")
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--bits", type=int, choices=[4, 16], default=16)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--one", choices=RUNS, help="its runs, in this process")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(arguments.one, arguments)))
        return
    packages = ("torch", "transformers", "trl", "peft")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    shapes = [arguments.shape] if arguments.shape else SMALL
    found = {
        "command": " ".join(["python", "benchmarks/tuning.py", *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, {versions}",
        "repeats": arguments.repeats,
        "runs": [run for shape in shapes for run in all_ways(shape, arguments)],
    }
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        (arguments.out / "metrics.json").write_text(text, encoding="utf-8")
        (arguments.out / "report.md").write_text(report(found), encoding="utf-8")
    print(report(found))


if __name__ == "__main__":
    main()
