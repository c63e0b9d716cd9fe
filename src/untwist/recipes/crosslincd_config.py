"""What to re-make of CrossLinCD's Tables 2 to 5, and the models that each table compares.

Pure values; nothing here trains. Settings of a model start from its preset in `untwist.detect`; the
table [encoder] of a file changes all of them, [single], [multi], [teacher], [student] and [aligned]
change one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from untwist.data import Mode, Reading
from untwist.detect import EncoderConfig, preset
from untwist.detect.encoder_config import Sampling
from untwist.errors import ConfigError
from untwist.evaluate import RESAMPLES
from untwist.recipes.config import build, read_toml
from untwist.recipes.rows import MODES

Role = Literal["single", "multi", "teacher", "student", "aligned"]
Language = Literal["both", "en", "zh"]
PRESETS: dict[Role, str] = {
    "single": "crosslincd-single",
    "multi": "crosslincd-multi",
    "teacher": "crosslincd-ts-teacher",
    "student": "crosslincd-ts-student",
    "aligned": "crosslincd-aligned",
}
TABLES = (2, 3, 4, 5)
TINY = "tiny random weights"
"""The name of the encoder that is made on the spot, with nothing learnt."""
_TINY: dict[str, Any] = {
    "encoder": TINY,
    "download": False,
    "device": "cpu",
    "max_length": 64,
    "learning_rate": 1e-3,
    "epochs": 2,
    "patience": 0,
    "precision": "fp32",
    "accumulation": 1,
    "gradient_checkpointing": False,
}
_TINY_TEXTS = 64
_SAMPLING_WORDS: dict[Sampling, str] = {
    "paper": "corpus after corpus, as the paper's program",
    "round_robin": "round robin",
    "proportional": "proportional",
    "temperature": "temperature",
}


def _settings(role: Role) -> EncoderConfig:
    return EncoderConfig(**preset(PRESETS[role]))


@dataclass(frozen=True, slots=True)
class Asked:
    """One training of a language model; those of one name make a column."""

    name: str
    """Of the column, for example "LLaMA3-8B"."""
    source: str
    """"llm:NAME" is asked; else a folder with a file of predictions for each corpus, CORPUS.jsonl,
    as `untwist evaluate detector --predictions` reads them."""
    split: Mode = "grouped"
    """By which split it was tuned; `untwist train llm` tunes by "grouped"."""
    table: int = 3
    """For which table: 3 or 5."""
    seed: int = 42
    """By which seed it was tuned."""
    question: Literal["detect", "names", "reasons"] = "names"
    """What it is asked; "reasons" for a model that was tuned on chains."""
    cache: str = ""
    """A file of answers, in which no question is asked twice; it holds the texts that were asked
    about. Empty keeps none."""


@dataclass(frozen=True, slots=True)
class Crosslincd:
    """Which table, on what, with which settings."""

    out: str
    """The run folder; it must be new or empty."""
    table: int = 2
    """Of the paper: 2, 3, 4 or 5."""
    work: str = ""
    """Where answers of trained models are kept, so that a stopped run goes on, and no model is
    trained twice for two tables; empty is OUT with ".work" behind it. It holds no text."""
    corpora: tuple[str, ...] = ("socialcd", "reframing", "therapist-part", "therapist-whole")
    """D_s, D_r, D_t1, D_t2: by name, or files of your own; Table 4 adds them in this order."""
    aligned_corpus: str = "crosslincd"
    """D_a, for Table 5."""
    teacher_corpus: str = "c2d2"
    """D_c, which teaches; empty leaves the taught models out of Tables 2 and 3."""
    reading: Reading = field(default_factory=Reading)
    """How they are read."""
    splits: tuple[Mode, ...] = MODES
    """By which splits; both belong in a table."""
    seeds: tuple[int, ...] = (42, 43, 44)
    """One training each; three at least for a table that is shown to anybody."""
    samplings: tuple[Sampling, ...] = ("paper", "round_robin", "proportional", "temperature")
    """Orders of the corpora's batches that Table 3 compares."""
    temperature: float = 3.0
    """Of the sampling by temperature."""
    limit: int = 0
    """Learn from, and choose by, so many texts of each corpus at most; 0 takes all. Test parts are
    always whole."""
    resamples: int = RESAMPLES
    """Of the bootstrap."""
    tiny: bool = False
    """Train a tiny encoder of random weights in place of any other: the table is no result."""
    llm: tuple[Asked, ...] = ()
    """Trainings of language models, which are columns of Tables 3 and 5."""
    single: EncoderConfig = field(default_factory=lambda: _settings("single"))
    """One corpus, one model."""
    multi: EncoderConfig = field(default_factory=lambda: _settings("multi"))
    """A head for each corpus."""
    teacher: EncoderConfig = field(default_factory=lambda: _settings("teacher"))
    """The teacher."""
    student: EncoderConfig = field(default_factory=lambda: _settings("student"))
    """Taught models."""
    aligned: EncoderConfig = field(default_factory=lambda: _settings("aligned"))
    """Models of the aligned corpus."""
    command: str = "untwist.recipes.crosslincd.run(config)"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        rules = {
            f"table is {self.table}: give 2, 3, 4 or 5": self.table in TABLES,
            "name at least two corpora, each once": len(set(self.corpora)) > 1,
            "name at least one split and one seed, each once": all(
                given and len(set(given)) == len(given) for given in (self.splits, self.seeds)
            ),
            "samplings names none, or one twice": self.samplings
            and len(set(self.samplings)) == len(self.samplings),
            "resamples must be at least 1, limit 0 or more": self.resamples > 0 and self.limit >= 0,
            "Table 4 is about a teacher: name teacher_corpus": self.table != 4
            or self.teacher_corpus,
            "[[llm]] names one training twice: give it another seed": len(
                {(one.name, one.split, one.table, one.seed) for one in self.llm}
            ) == len(self.llm),
            "[[llm]] is for Tables 3 and 5": all(one.table in {3, 5} for one in self.llm),
        }  # fmt: skip
        for rule, holds in rules.items():
            if not holds:
                raise ConfigError(rule)

    def settings(self, role: Role) -> EncoderConfig:
        """Of the models of one role."""
        found: EncoderConfig = getattr(self, role)
        return found

    @property
    def sources(self) -> tuple[str, ...]:
        """The corpora that the table is about, without the teacher's."""
        return (self.aligned_corpus,) if self.table == 5 else self.corpora

    def asked(self, split: Mode) -> dict[str, list[Asked]]:
        """The language models of this table by one split, by name."""
        found: dict[str, list[Asked]] = {}
        for one in self.llm:
            if (one.table, one.split) == (self.table, split):
                found.setdefault(one.name, []).append(one)
        return found

    @property
    def folder(self) -> Path:
        """Where answers are kept."""
        return Path(self.work or f"{self.out}.work")


def read(path: Path | str | None, **given: Any) -> Crosslincd:  # noqa: ANN401
    """A configuration from a TOML file, or from the presets alone.

    Args:
        path: of the file; None takes the presets as they are.
        **given: fields that the file must not set, such as `out` and `table`, and those that change
            it.

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or settings contradict each other.
    """
    values = {} if path is None else read_toml(path)
    common = _taken(values, "encoder", path)
    for role, name in PRESETS.items():
        own = _taken(values, role, path)
        changed = [("encoder", common)] * bool(common) + [(role, own)] * bool(own)
        for table, keys in changed:
            # named by its table, with its preset below it
            build(EncoderConfig, {**preset(name), **keys}, f"{path}: {table}")
        values[role] = {**preset(name), **common, **own}
    plain = build(Crosslincd, {"out": "", **values}, str(path or "settings"))
    changed_fields = {key: value for key, value in given.items() if value is not None}
    return replace(plain, **changed_fields)


def _taken(values: dict[str, Any], name: str, path: Path | str | None) -> dict[str, Any]:
    found = values.pop(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: {name} must be a table")
    return found


def made_tiny(config: Crosslincd) -> Crosslincd:
    """The same table by a tiny encoder of random weights, which shows that the recipe runs."""
    own = {role: replace(config.settings(role), **_TINY) for role in PRESETS}
    limit = min(config.limit or _TINY_TEXTS, _TINY_TEXTS)
    return replace(config, tiny=True, limit=limit, **own)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Model:
    """A column: what a model is trained on, and how.

    Attributes:
        key: names it among the columns, and in the paper's figures.
        title: stands above it.
        role: whose settings it has.
        corpora: names of the corpora that it learns from.
        taught: whether it has a teacher.
        lang: the language that it learns from.
        sampling: the order of the corpora's batches; None is that of the settings.
    """

    key: str
    title: str
    role: Role
    corpora: tuple[str, ...]
    taught: bool = False
    lang: Language = "both"
    sampling: Sampling | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A row: what is tested on.

    Attributes:
        key: names it among the rows, and in the paper's figures.
        title: stands before it.
        corpus: its name.
        lang: the language of the rows that count.
    """

    key: str
    title: str
    corpus: str
    lang: Language = "both"


def models_of(
    config: Crosslincd, names: Sequence[str], called: Mapping[str, str]
) -> tuple[Model, ...]:
    """The trained columns of a table.

    Args:
        config: which table.
        names: of the corpora as they were read, in the order of `Crosslincd.sources`.
        called: what the paper calls a corpus, by name; one that it does not know keeps its name.
    """
    own = {name: called.get(name, name) for name in names}
    taught = (False, True) if config.teacher_corpus else (False,)
    match config.table:
        case 2:
            return tuple(
                Model(
                    name + ", taught" * with_teacher,
                    f"M({own[name]})" + ", taught" * with_teacher,
                    "student" if with_teacher else "single",
                    (name,),
                    with_teacher,
                )
                for name in names
                for with_teacher in taught
            )
        case 3:
            multi = tuple(
                Model(one, f"MT, {_SAMPLING_WORDS[one]}", "multi", tuple(names), sampling=one)
                for one in config.samplings
            )
            if not config.teacher_corpus:
                return multi
            # the order that the student's settings name
            order = config.student.sampling
            title = f"MT, taught, {_SAMPLING_WORDS[order]}"
            return (*multi, Model(f"{order}, taught", title, "student", tuple(names), taught=True))
        case 4:
            sets = [tuple(names[: k + 1]) for k in range(len(names))]
            return tuple(
                Model("+".join(s), "taught, " + " + ".join(own[n] for n in s), "student", s, True)
                for s in sets
            )
        case _:
            (name,) = names
            return tuple(
                Model(lang, f"M({own[name]}, {words})", "aligned", (name,), lang=lang)
                for lang, words in _LANGUAGES.items()
            )


_LANGUAGES: dict[Language, str] = {"en": "English", "zh": "Chinese", "both": "both"}


def targets_of(
    config: Crosslincd, names: Sequence[str], called: Mapping[str, str]
) -> tuple[Target, ...]:
    """The rows of a table; see `models_of`."""
    if config.table != 5:
        return tuple(Target(name, called.get(name, name), name) for name in names)
    (name,) = names
    title = called.get(name, name)
    return tuple(
        Target(lang, f"{title}, {words}", name, lang) for lang, words in _LANGUAGES.items()
    )
