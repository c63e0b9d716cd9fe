"""Recipe: answers in five CBT parts to questions with descriptions (CBT-LLM 3.2 and 3.3).

    posts -> answers -> gate -> items.jsonl -> the paper's Tables 1 to 3 re-made -> a run folder

Leaves out: posts that speak of acute danger. No model answers those; they are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from untwist.data import Failure, Part, Reading, Record, load_jsonl, read_records
from untwist.data.refusals import Refusal
from untwist.errors import ConfigError, DataError
from untwist.evaluate import Table, number
from untwist.generate.asking import Sampling, in_turn
from untwist.generate.cbtqa import (
    ANSWER,
    TAXONOMY,
    CbtQa,
    Post,
    answered_post,
    post_items,
    post_of,
)
from untwist.generate.gate import Draft, gate
from untwist.generate.pipeline import Pipeline
from untwist.llm import Model
from untwist.llm.prompts import CbtAnswer, labels_for, labels_of
from untwist.recipes.generate_files import finish
from untwist.recipes.generate_folder import open_folder
from untwist.recipes.generate_settings import Gated, Models, Running, Stage, Stages
from untwist.recipes.generate_stages import (
    Generated,
    Show,
    Tally,
    admitted,
    do_stage,
    show_nobody,
    tests_of,
)
from untwist.recipes.publish import Chapter
from untwist.safety import screen
from untwist.schema import Dialogue, Json
from untwist.taxonomy import Distortion, Risk

STAGE = "exchanges"
SIX = "cbtqa-6"
"""The label set of the paper's Table 2."""


@dataclass(frozen=True, slots=True)
class GenerateCbtQa:
    """What to answer, and how."""

    out: str
    """The run folder; new or empty, or that of the same run that was stopped."""
    sources: tuple[str, ...]
    """Files of rows {"id"?, "question", "description"?, "lang"?}."""
    exemplars: str | None = None
    """A file of rows as in items.jsonl; the first of each language is shown to the model."""
    gold: str | None = None
    """A file of labelled messages with the ids of the posts, for Table 3."""
    taxonomy: str = TAXONOMY
    """Whose labels the thought is given; "cbtqa-6" is the paper's."""
    sampling: Sampling = field(default_factory=lambda: Sampling(temperature=0.7, max_tokens=2048))
    """How models are sampled."""
    gated: Gated = field(default_factory=Gated)
    """What may not be written."""
    reading: Reading = field(default_factory=Reading)
    """How test sets are read."""
    running: Running = field(default_factory=Running)
    """How it is run."""
    command: str = "untwist.recipes.generate_cbtqa.run(config, models)"
    """What starts this run; stands in the report."""

    def __post_init__(self) -> None:
        labels_of(self.taxonomy)
        if not self.sources:
            raise ConfigError("name at least one file of questions")

    def pipeline(self, stage: str, models: Sequence[Model]) -> Pipeline:
        """The work of one stage."""
        shown = _exemplars(self.exemplars, self.taxonomy) if self.exemplars else ()
        asked = in_turn(tuple(models), self.sampling.seed)
        return CbtQa(asked, shown, self.taxonomy, sampling=self.sampling)


def _exemplars(file: str, taxonomy: str) -> tuple[tuple[Post, CbtAnswer], ...]:
    """The posts of a file with their answers.

    Raises:
        DataError: a row is no answered post.
    """
    found = []
    for record in read_records(file):
        if isinstance(record, Failure):
            raise DataError(f"{file}:{record.line}: {record.message}")
        parts, message = record.data.get(ANSWER) or {}, record.data.get("messages") or [{}]
        try:
            labels = frozenset(Distortion(name) for name in message[0].get("labels", ()))
            answer = CbtAnswer(**parts, distortions=labels_for(labels, taxonomy))
        except (TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{file}:{record.line}: no answer in five parts") from error
        found.append((post_of(record), answer))
    return tuple(found)


def stages(config: GenerateCbtQa) -> Stages:
    """What would be asked about, for an estimate.

    Raises:
        DataError: a file cannot be read.
    """
    return {STAGE: partial(post_items, _admitted(config, tests_of(config), Tally()))}


def run(config: GenerateCbtQa, models: Models, show: Show = show_nobody) -> Generated:
    """Answer, and write the run folder.

    Raises:
        ConfigError: the folder is in use by another run.
        DataError: a file cannot be read.
    """
    tally, tests = Tally(), tests_of(config)
    posts = _admitted(config, tests, tally)
    extra = [name for name in (config.exemplars, config.gold) if name]
    files = [Path(name) for name in (*config.sources, *extra)]
    folder = open_folder(config, files, config.sampling.seed, (STAGE,))
    # gold labels score the answers and change none, so they can be given later
    inputs = {name: sha256 for name, sha256 in folder.inputs.items() if name != config.gold}
    items = partial(post_items, posts)
    entries = do_stage(folder, Stage(config, STAGE, models), items, inputs, tally, show)
    drafts = [
        answered_post(post, entries[post.id], config.taxonomy)
        for post in posts
        if post.id in entries and entries[post.id].value is not None
    ]
    gated = config.gated
    passed = gate(drafts, tests, repeats=gated.repeats, leaks=gated.leaks)
    gold = list(load_jsonl(config.gold)) if config.gold else []
    return finish(
        folder,
        config,
        tally,
        passed.kept,
        passed.refused,
        title="Answers in five CBT parts",
        names=models.names,
        statistics=statistics(passed.kept, gold),
        chapters=chapters(passed.kept, gold),
    )


def _admitted(config: GenerateCbtQa, tests: Sequence[Part], tally: Tally) -> list[Post]:
    """The posts that a model may answer."""
    posts: dict[str, Post] = {}
    found = ((file, record) for file in config.sources for record in read_records(file))
    for file, record in islice(found, config.running.limit):
        try:
            post = _post(record, posts)
        except DataError as error:
            tally.refusals.add(Refusal(file, record.line, str(error)))
            continue
        posts[post.id] = post
    calm = {id: post for id, post in posts.items() if screen(post.text).level is not Risk.HIGH}
    tally.before += [(id, "risk: no model answers in a crisis") for id in posts if id not in calm]
    kept = admitted((post.dialogue() for post in calm.values()), config, tests, tally)
    return [calm[dialogue.id] for dialogue in kept]


def _post(record: Record | Failure, known: Mapping[str, Post]) -> Post:
    if isinstance(record, Failure):
        raise DataError(record.message)
    post = post_of(record)
    if post.id in known:
        raise DataError("its id occurs twice: make ids unique")
    return post


def statistics(kept: Sequence[Draft], gold: Sequence[Dialogue]) -> Json:
    """The paper's Tables 1 to 3 as numbers."""
    return {
        "table_1": {
            "posts": len(kept),
            "chars_question": _mean([len(d.beside["question"]) for d in kept]),
            "chars_description": _mean([len(d.beside["description"]) for d in kept]),
            "chars_answer": _mean([len(d.dialogue.utterances[-1].text) for d in kept]),
            "share_distorted": _mean([float(bool(_labels(d))) for d in kept]),
        },
        "table_2": _six(kept),
        "table_3": recognition(kept, gold),
    }


def _labels(draft: Draft) -> frozenset[Distortion]:
    labels = draft.dialogue.labels[0]
    return (labels.distortions if labels else None) or frozenset()


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _six(kept: Sequence[Draft]) -> dict[str, int]:
    """Answers by label of the paper; one answer may count under several."""
    counts = Counter(label for draft in kept for label in labels_for(_labels(draft), SIX))
    return {label: counts[label] for label in labels_of(SIX)}


def recognition(kept: Sequence[Draft], gold: Sequence[Dialogue]) -> Json | None:
    """How well the answers tell whether a post carries any distortion; None without gold labels.

    Scores over posts with gold labels, "distorted" being the positive class: accuracy, precision,
    recall and F1 in 0 to 1, None where nothing is divided by.
    """
    truth = {
        d.id: bool(d.labels[0].distortions)
        for d in gold
        if d.labels[0] is not None and d.labels[0].distortions is not None
    }
    pairs = [(bool(_labels(d)), truth[d.dialogue.id]) for d in kept if d.dialogue.id in truth]
    if not pairs:
        return None
    hits = sum(said and true for said, true in pairs)
    said, true = sum(s for s, _ in pairs), sum(t for _, t in pairs)
    return {
        "posts": len(pairs),
        "accuracy": sum(s == t for s, t in pairs) / len(pairs),
        "precision": hits / said if said else None,
        "recall": hits / true if true else None,
        "f1": 2 * hits / (said + true) if said + true else None,
    }


def chapters(kept: Sequence[Draft], gold: Sequence[Dialogue]) -> list[Chapter]:
    """The report: Tables 1 to 3."""
    found = statistics(kept, gold)
    one, share = found["table_1"], found["table_1"]["share_distorted"]
    first = Table(
        "The answers (CBT-LLM Table 1)",
        ("criterion", "value"),
        (
            ("Questions and descriptions", f"{one['posts']:,}"),
            ("Characters per question", _short(one["chars_question"])),
            ("Characters per description", _short(one["chars_description"])),
            ("Characters per answer", _short(one["chars_answer"])),
            ("Answers that name a distortion", "–" if share is None else f"{100 * share:.1f} %"),
        ),
    )
    second = Table(
        "Distortions that the answers name (CBT-LLM Table 2)",
        ("label", "answers"),
        tuple((label, f"{n:,}") for label, n in found["table_2"].items()),
        "An answer counts once under each label that it names.",
    )
    return [Chapter("Answers", (), (first, second)), *_quality(found["table_3"])]


def _quality(scores: Json | None) -> list[Chapter]:
    if scores is None:
        return []
    names = ("accuracy", "precision", "recall", "f1")
    cells = (("answers", *(number(scores[name]) for name in names)),)
    note = (
        f"Whether a post carries any distortion, over {scores['posts']:,} posts with gold labels."
    )
    table = Table("Recognition (CBT-LLM Table 3)", ("", *names), cells, note)
    return [Chapter("How well distortions are recognised", (), (table,))]


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
