"""Recipe: what a tuning run would give a model, and which of it would be learned.

    sources -> samples that fit -> tokens -> the text of the prompt, and of what is learned

Reads what `train_llm` reads, in the same way, and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from untwist.errors import ConfigError
from untwist.recipes.llm_samples import Sources, prepare
from untwist.recipes.train_llm import fits_in
from untwist.schema import Json
from untwist.tune import Encoded, Report, Sample, Template, TuneConfig, encode_all


@dataclass(frozen=True, slots=True)
class Shown:
    """One sample as the model reads it.

    Attributes:
        id: of the sample.
        stream: which part of the loss its target belongs to.
        augmented: whether its strategy was chosen by a policy.
        prompt: what the model is given, special tokens included.
        learned: what it is to write, the end of the turn included.
        prompt_tokens: tokens of the prompt.
        learned_tokens: tokens that are learned.
    """

    id: str
    stream: str
    augmented: bool
    prompt: str
    learned: str
    prompt_tokens: int
    learned_tokens: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was looked at.

    Attributes:
        shown: the samples that were asked for.
        report: of all samples: counts and lengths by stream, histories cut, samples refused.
        refused: why samples cannot be learned, with the id of the first of each reason.
    """

    shown: tuple[Shown, ...]
    report: Json
    refused: dict[str, str]


def open_template(model: str, *, revision: str = "", download: bool = False) -> Template:
    """The chat template of a model, by its own tokenizer.

    Args:
        model: folder, or a name of the hub.
        revision: of the hub; empty takes the newest that is here.
        download: whether what is not here may be fetched.

    Raises:
        ConfigError: the tokenizer has no chat template.
        MissingExtra: the extra "finetune" is not installed.
        ModelError: the tokenizer cannot be loaded.
    """
    from untwist.tune.lora import load_tokenizer

    return Template(load_tokenizer(model, revision=revision or None, download=download))


def inspect(
    tune: TuneConfig,
    sources: Sources,
    template: Template,
    *,
    ids: Sequence[str] = (),
    most: int = 3,
) -> Inspection:
    """Encode the samples of a run, and show some.

    Args:
        tune: the preset.
        sources: where samples come from.
        template: of the model's tokenizer.
        ids: of the samples to show; none shows the first of each stream.
        most: how many are shown of each stream when no ids are given.

    Raises:
        ConfigError: there is no sample of an id.
        DataError: a source cannot be read, or no sample can be encoded.
    """
    read = prepare(sources, tune.data, fits_in(template, tune.data.max_length))
    samples = [s for one in read.models.values() for s in (*one.train, *one.held_out)]
    encoded, report = encode_all(samples, template, tune.data.max_length, refuse=True)
    refused = {id for id, _ in report.refused}
    kept = [sample for sample in samples if sample.id not in refused]
    pairs = list(zip(kept, encoded, strict=True))
    chosen = _named(pairs, ids, refused) if ids else _first(pairs, most)
    shown = tuple(_shown(sample, tokens, template) for sample, tokens in chosen)
    counts = {**report.to_dict(), "cut_histories": read.about["cut_histories"]}
    return Inspection(shown, counts, _reasons(report))


def _named(
    pairs: Sequence[tuple[Sample, Encoded]], ids: Sequence[str], refused: set[str]
) -> list[tuple[Sample, Encoded]]:
    found = {sample.id: (sample, tokens) for sample, tokens in pairs}
    for id in ids:
        if id in refused:
            raise ConfigError(f"sample {id} cannot be learned: leave --id out to see why")
        if id not in found:
            raise ConfigError(f'there is no sample "{id}": leave --id out to see some')
    return [found[id] for id in ids]


def _first(pairs: Sequence[tuple[Sample, Encoded]], most: int) -> list[tuple[Sample, Encoded]]:
    taken: dict[str, list[tuple[Sample, Encoded]]] = {}
    for sample, tokens in pairs:
        of_stream = taken.setdefault(sample.stream, [])
        if len(of_stream) < most:
            of_stream.append((sample, tokens))
    return [pair for of_stream in taken.values() for pair in of_stream]


def _shown(sample: Sample, tokens: Encoded, template: Template) -> Shown:
    start = tokens.lengths.prompt
    return Shown(
        sample.id,
        sample.stream,
        sample.augmented,
        template.text(tokens.input_ids[:start]),
        template.text(tokens.input_ids[start:]),
        tokens.lengths.prompt,
        tokens.lengths.target,
    )


def _reasons(report: Report) -> dict[str, str]:
    """Each reason, without the numbers of the one sample, and the first sample that has it."""
    found: dict[str, str] = {}
    for id, why in report.refused:
        found.setdefault(why.split(":")[0], id)
    return found
