"""untwist detect: distortions, their evidence, intensity and risk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from untwist.cli.question import DEFAULT_QUESTION, question_option
from untwist.cli.rows import Writer, in_chunks, io_options, read_rows, writing
from untwist.cli.workers import executor
from untwist.cluster import Engine
from untwist.data import Failure, Item
from untwist.engine import ASKED, load_detector, load_prompted
from untwist.errors import ModelError, UntwistError
from untwist.ports import Detector
from untwist.safety import help_block, screen
from untwist.schema import Assessment, Json
from untwist.taxonomy import Risk, Taxonomy, taxonomy
from untwist.text import locale_of

if TYPE_CHECKING:
    from untwist.detect import PromptedDetector
    from untwist.llm.prompts.names import Question

_CHUNK = 512
_EXAMPLES = """\b
Examples:
  untwist detect "If it rains tomorrow, everything is ruined"
  untwist detect --input posts.jsonl --output found.jsonl --keep-going
  untwist detect --input posts.jsonl --output found.jsonl --workers 0
  untwist detect --taxonomy beck-8 --json "他没回我，肯定是讨厌我"
  untwist detect --detector llm:qwen3 --workers 32 --cache asked.db --input posts.jsonl
"""


@click.command("detect", epilog=_EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@io_options
@click.option(
    "--detector", "name", default="fast", show_default=True, metavar="fast|DIR|llm:NAME",
    help="The shipped detector, a model folder, or a language model: what is written then goes to "
    "its server (UNTWIST_LLM_URL).",
)  # fmt: skip
@click.option(
    "--taxonomy", "label_set", default="untwist-12", show_default=True, metavar="NAME",
    help="Label set of the answer, in that set's own spelling; docs/reference/words.md lists them.",
)  # fmt: skip
@click.option("--merge", is_flag=True, help="Use the nearest label where the set has none.")
@click.option(
    "--workers", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
    help="Processes that read rows; 0 is one per core. The answers are the same. With llm:NAME, "
    "questions at once; 0 is 16.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="Where they run: this machine, or Ray (the cluster of RAY_ADDRESS, else a local one).",
)  # fmt: skip
@click.option(
    "--shots", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
    help="Examples that llm:NAME is shown first.",
)  # fmt: skip
@click.option("--examples", metavar="FILE",
              help="Labelled messages to take them from; never such as are scored.")  # fmt: skip
@click.option("--cache", metavar="FILE", help="Answers of llm:NAME; none is paid for twice.")
@question_option
def command(
    texts: tuple[str, ...],
    source: str | None,
    target: str | None,
    as_json: bool,
    keep_going: bool,
    name: str,
    label_set: str,
    merge: bool,
    workers: int,
    engine: Engine,
    shots: int,
    examples: str | None,
    cache: str | None,
    question: Question,
) -> None:
    """Which cognitive distortions a message carries, where, and how strongly.

    Rows in: {"id", "text", "lang"?, "history"?: [{"role", "content"}]}. Rows out: {"id", "lang",
    "findings": [{"distortion", "score", "start", "end"}], "intensity", "risk", "acuity",
    "detector", "taxonomy"}; start and end are character offsets. Findings that the label set cannot
    carry are listed under "not_representable". A row that a language model did not answer is marked
    "unscored" with its reason; it has neither labels nor a level.
    """
    labels = taxonomy(label_set)
    shown = not (source or as_json or target)
    if name.startswith(ASKED):
        if engine != "local":
            raise click.UsageError("llm:NAME is asked from here: leave --engine out")
        detector = load_prompted(
            name.removeprefix(ASKED), shots=shots, concurrency=workers or None,
            cache=Path(cache) if cache else None, examples=Path(examples) if examples else None,
            question=question,
        )  # fmt: skip
        rows = read_rows(texts, source, keep_going)
        if shown:
            _show_all(rows, detector, labels, merge)
        else:
            with writing(target, source) as out:
                _ask(out, rows, detector, Detection(name, label_set, merge, keep_going, source))
        return
    if shots or cache or examples or question != DEFAULT_QUESTION:
        raise click.UsageError(
            "--shots, --examples, --cache and --question are for --detector llm:NAME"
        )
    if shown:
        if workers != 1 or engine != "local":
            raise click.UsageError("--workers and --engine are for rows: give --input or --json")
        _show_all(read_rows(texts, source, keep_going), load_detector(name), labels, merge)
        return
    runner = executor(Detection(name, label_set, merge, keep_going, source), workers, engine)
    with writing(target, source) as out:
        chunks = in_chunks(read_rows(texts, source, keep_going), _CHUNK)
        with closing(runner.map(chunks)) as answers:
            for answer in answers:
                _write(out, answer)


@dataclass(frozen=True, slots=True)
class Answers:
    """What is written for one chunk of rows.

    Attributes:
        rows: results and marked failures, in the order of the rows.
        stop: why the run ends after these; None when it goes on.
    """

    rows: tuple[Json | Failure, ...]
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """Detection in chunks of rows, wherever it runs (see `untwist.cli.workers.Job`).

    Attributes:
        detector: name or folder, as for `untwist.engine.load_detector`.
        taxonomy: name of the label set of the answers.
        merge: use the nearest label where the set has none.
        keep_going: mark a row that fails; otherwise the first one stops the run.
        source: the file, for messages; None when the rows come from elsewhere.
    """

    detector: str
    taxonomy: str
    merge: bool = False
    keep_going: bool = False
    source: str | None = None

    def open(self) -> Callable[[Sequence[Item | Failure]], Answers]:
        """Load the detector.

        Raises:
            ArtifactError: there is no usable model.
            ConfigError: the label set is unknown.
        """
        detector, labels = load_detector(self.detector), taxonomy(self.taxonomy)
        return lambda rows: self.answer(detector, labels, rows)

    def answer(
        self, detector: Detector, labels: Taxonomy, rows: Sequence[Item | Failure]
    ) -> Answers:
        """What is written for a chunk of rows."""
        done: list[Json | Failure] = []
        try:
            for row, found in zip(rows, assess(detector, rows, self.keep_going), strict=True):
                if isinstance(found, Failure):
                    done.append(found)
                else:
                    done.append(to_row(row.id, found, labels, self.merge))
        except UntwistError as error:
            return Answers(tuple(done), self.told(rows[len(done)], str(error)))
        return Answers(tuple(done))

    def told(self, row: Item | Failure, message: str) -> str:
        """Why the run ends at a row."""
        if not self.source:
            return message
        return f"{self.source}:{row.line}: {message} (--keep-going marks such rows and goes on)"


def assess(
    detector: Detector, rows: Sequence[Item | Failure], keep_going: bool
) -> Iterator[Assessment | Failure]:
    """One answer per row, in order; rows without a history are read together.

    Raises:
        UntwistError: a row fails and `keep_going` is False.
    """
    alone = (r.utterance for r in rows if isinstance(r, Item) and not r.history)
    together: Iterator[Assessment] | None = detector.detect_many(alone)
    for row in rows:
        if isinstance(row, Failure):
            yield row
            continue
        answer = None if row.history or together is None else _next(together)
        if answer is None and not row.history:
            together = None
        try:
            yield answer or detector.detect(row.utterance, row.history)
        except UntwistError as error:
            if not keep_going:
                raise
            yield Failure(row.line, row.id, str(error))


def _next(together: Iterator[Assessment]) -> Assessment | None:
    """The next answer of a batch; None once it failed.

    A batch fails as a whole and does not say on which text, so the rest is then read one by one:
    the error must be marked on the row that it belongs to.
    """
    try:
        return next(together)
    except UntwistError:
        return None


def _ask(
    out: Writer, rows: Iterator[Item | Failure], detector: PromptedDetector, how: Detection
) -> None:
    """Write what a language model says of the rows.

    Raises:
        UntwistError: a row is unscored, and nobody said to go on.
    """
    labels = taxonomy(how.taxonomy)
    from untwist.cli.asked import assessed

    with closing(assessed(detector, rows)) as answers:
        for row, found in answers:
            if isinstance(found, Assessment):
                out.row(to_row(row.id, found, labels, how.merge))
            elif how.keep_going:
                out.failure(found)
            else:
                raise UntwistError(how.told(row, found.message))


def _write(out: Writer, answers: Answers) -> None:
    """Write a chunk.

    Raises:
        UntwistError: a row failed, and the run ends with the rows before it.
    """
    for row in answers.rows:
        if isinstance(row, Failure):
            out.failure(row)
        else:
            out.row(row)
    if answers.stop:
        raise UntwistError(answers.stop)


def to_row(id: str, assessment: Assessment, labels: Taxonomy, merge: bool = False) -> Json:
    """An assessment as a row in the labels of a taxonomy; what it cannot carry is masked."""
    findings: dict[str, Json] = {}
    masked: list[str] = []
    for finding in assessment.findings:
        found = labels.to(finding.distortion, merge=merge)
        if found:
            findings.setdefault(found[0], {**finding.to_dict(), "distortion": found[0]})
        else:
            masked.append(finding.distortion.value)
    lost: Json = {"not_representable": masked} if masked else {}
    return {
        "id": id,
        "lang": assessment.utterance.lang,
        "findings": list(findings.values()),
        "intensity": assessment.intensity.value if assessment.intensity else None,
        "risk": assessment.risk.value,
        "acuity": [a.value for a in assessment.acuity],
        "detector": assessment.detector,
        "taxonomy": labels.name,
        **lost,
    }


def _show_all(
    rows: Iterator[Item | Failure], detector: Detector, labels: Taxonomy, merge: bool
) -> None:
    for row in rows:
        if isinstance(row, Failure):
            raise UntwistError(row.message)
        try:
            assessment = detector.detect(row.utterance, row.history)
        except ModelError:
            _show_help_anyway(row)
            raise
        _show(row, assessment, labels, merge)


def _show_help_anyway(row: Item) -> None:
    """Where a model failed on a message of danger, help is shown all the same."""
    heard = screen(row.utterance.text, row.history)
    if heard.level is Risk.HIGH or heard.acuity:
        text = row.utterance.text
        click.echo(help_block(locale_of(row.utterance.lang or "en", (text,))))


def _show(row: Item, assessment: Assessment, labels: Taxonomy, merge: bool) -> None:
    """For people: names, evidence, help when it is needed; never a level of risk."""
    text, lang = row.utterance.text, row.utterance.lang or "en"
    for finding in assessment.findings:
        label = next(iter(labels.to(finding.distortion, merge=merge)), None)
        head = click.style(label or f"[not in {labels.name}]", bold=True)
        click.echo(f"{head}  {finding.score:.2f}  {finding.distortion.name_in(lang)}")
        if finding.start is not None:
            click.echo(f"    “{text[finding.start : finding.end]}”")
    if not assessment.findings:
        click.echo("没有听出认知扭曲。" if lang == "zh" else "No cognitive distortion was heard.")
    if assessment.intensity:
        word = "强度：" if lang == "zh" else "intensity: "
        click.echo(word + assessment.intensity.name_in(lang))
    if assessment.risk is Risk.HIGH or assessment.acuity:
        click.echo("\n" + help_block(locale_of(lang, (text,))))
