"""After or in place of a training: an adapter merged into its model, a run handed to others.

    adapter -> one model;  preset, sources -> a folder for LLaMA-Factory

Leaves out: GGUF, which llama.cpp's own converter makes of a merged model (docs/guides/tuning.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from untwist.data import Reading
from untwist.errors import ConfigError, MissingExtra, ModelError
from untwist.recipes.llm_samples import Fits, Sources, prepare
from untwist.recipes.train_llm import fits_in
from untwist.tune.config import TuneConfig
from untwist.tune.export import Exported, to_llama_factory

if TYPE_CHECKING:
    from untwist.tune.merge import Merged


def merge_adapter(
    adapter: str, out: str, *, base: str | None, precision: str, download: bool
) -> Merged:
    """See `untwist.tune.merge.merge`.

    Raises:
        MissingExtra: the extra "finetune" is not installed.
    """
    from untwist.tune.merge import merge

    return merge(adapter, out, base=base, precision=precision, download=download)


def export_run(
    tune: TuneConfig,
    out: Path | str,
    *,
    data: tuple[str, ...],
    model: str,
    template: str,
    name: str,
    augmented: tuple[str, ...] = (),
    reading: Reading | None = None,
    revision: str = "",
    download: bool = False,
) -> tuple[Exported, bool]:
    """Write the samples and settings of a run for LLaMA-Factory in place of running it.

    Returns:
        What was written, and whether histories were cut to fit: that needs the model's tokenizer.

    Raises:
        ConfigError: settings contradict each other, or the preset trains two models at once.
        DataError: a source cannot be read, or a file is there already.
    """
    if tune.data.ablation == "pipeline":
        raise ConfigError("a pipeline is two models: export no_diagnosis and no_intervention")
    fits = _tokenizer_fits(model, revision, tune.data.max_length, download=download)
    sources = Sources(data, augmented, reading or Reading(), tune.seed)
    prepared = prepare(sources, tune.data, fits).models["model"]
    done = to_llama_factory(
        out, tune, prepared.train, prepared.held_out, name=name, model=model, template=template
    )
    return done, fits is not None


def _tokenizer_fits(model: str, revision: str, length: int, *, download: bool) -> Fits | None:
    """Whether a sample fits, by the model's tokenizer; None where there is none to ask."""
    try:
        from untwist.tune.lora import load_tokenizer
        from untwist.tune.masking import Template

        tokenizer = load_tokenizer(model, revision=revision or None, download=download)
        return fits_in(Template(tokenizer), length)
    except (MissingExtra, ModelError):
        return None
