"""Fine-tuning of language models on what a person said and what should follow, target by target.

Purpose: samples with their stream, tokens with a mask that is right, and the losses on them.
Takes: samples (prompt, target, stream) as JSON Lines; a tokenizer with its chat template.
Gives: encoded samples, batches and the arithmetic of the loss; nothing is guessed from text.
May import: data, llm, ports, schema, taxonomy, text, safety, artifacts, errors.
Heavy doors: tune.lora, tune.merge, tune.trainer (transformers, trl and peft, the extra "finetune").
"""

from untwist.tune.batching import collate, epoch_order, padding_share, rows
from untwist.tune.config import PRECISIONS, TuneConfig
from untwist.tune.dsco import ABLATIONS, NOTHING, Counts, Objective, ablate, count
from untwist.tune.examples import STREAMS, Message, Sample, Stream, read_samples, write_samples
from untwist.tune.export import TEMPLATES
from untwist.tune.launchers import launcher, launcher_names
from untwist.tune.masking import IGNORED, Encoded, Lengths, Report, Template, encode, encode_all
from untwist.tune.presets import preset_file, preset_names

__all__ = [
    "ABLATIONS",
    "IGNORED",
    "NOTHING",
    "PRECISIONS",
    "STREAMS",
    "TEMPLATES",
    "Counts",
    "Encoded",
    "Lengths",
    "Message",
    "Objective",
    "Report",
    "Sample",
    "Stream",
    "Template",
    "TuneConfig",
    "ablate",
    "collate",
    "count",
    "encode",
    "encode_all",
    "epoch_order",
    "launcher",
    "launcher_names",
    "padding_share",
    "preset_file",
    "preset_names",
    "read_samples",
    "rows",
    "write_samples",
]
