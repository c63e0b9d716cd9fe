"""How near replies are to reference replies: BLEU, chrF, METEOR, BERTScore, BLEURT.

A score whose library, data or model is not at hand is "not run", with what it takes; nothing else
ever stands under its name. Being near to one good reply is not being good: read these last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from untwist.errors import DataError, MissingExtra, UntwistError
from untwist.evaluate.reply import reply_tokens
from untwist.evaluate.resample import Interval
from untwist.taxonomy import Lang

References = Sequence[Sequence[str]]
_TOKENS: Mapping[Lang, str] = {"en": "13a", "zh": "zh"}


@dataclass(frozen=True, slots=True)
class ReferenceScore:
    """One score of replies against references.

    Attributes:
        name: of the score.
        value: BLEU and chrF 0 to 100, METEOR 0 to 1, the others as their model gives them; None
            when it was not run.
        interval: 95 %, over replies; None where it is not computed.
        how: what makes the number comparable (version, tokens, model); why not, when not run.
    """

    name: str
    value: float | None
    interval: Interval | None
    how: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        ends = self.interval.to_dict() if self.interval else None
        return {"name": self.name, "value": self.value, "interval": ends, "how": self.how}


@dataclass(frozen=True, slots=True)
class ScoreModels:
    """Models of the learned scores, as folders on this machine; "" leaves the score out.

    Attributes:
        bertscore: a Hugging Face encoder.
        bertscore_layer: which layer of it is compared.
        bleurt: a BLEURT checkpoint.
    """

    bertscore: str = ""
    bertscore_layer: int = 9
    bleurt: str = ""


def reference_scores(
    replies: Sequence[str],
    references: References,
    lang: Lang,
    models: ScoreModels | None = None,
    resamples: int = 1_000,
) -> tuple[ReferenceScore, ...]:
    """Every score, in one order, whether it could be run or not.

    Args:
        replies: of one system in one language.
        references: for each reply one reference or more.
        lang: the language.
        models: of the learned scores; None has none.
        resamples: of replies, for BLEU and chrF.

    Raises:
        DataError: there is no reply, or one has no reference.
    """
    if not replies or len(replies) != len(references) or not all(references):
        raise DataError("give replies, and for each of them at least one reference")
    held = models or ScoreModels()
    scores: tuple[tuple[str, Callable[[], ReferenceScore]], ...] = (
        ("BLEU", lambda: _sacrebleu("BLEU", replies, references, lang, resamples)),
        ("chrF", lambda: _sacrebleu("CHRF", replies, references, lang, resamples)),
        ("METEOR", lambda: _meteor(replies, references, lang)),
        ("METEOR without synonyms", lambda: _meteor_plain(replies, references, lang)),
        ("BERTScore", lambda: _bertscore(replies, references, held)),
        ("BLEURT", lambda: _bleurt(replies, references, held)),
    )
    return tuple(_tried(name, run) for name, run in scores)


def _tried(name: str, run: Callable[[], ReferenceScore]) -> ReferenceScore:
    try:
        return run()
    except UntwistError as error:
        return ReferenceScore(name, None, None, f"not run: {error}")


def _library(name: str, extra: str) -> Any:  # noqa: ANN401 - none of these libraries has types
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra(name, extra) from error


def _sacrebleu(
    kind: str, replies: Sequence[str], references: References, lang: Lang, resamples: int
) -> ReferenceScore:
    metrics = _library("sacrebleu.metrics", "eval")
    columns = _columns(references)
    options = {"tokenize": _TOKENS[lang]} if kind == "BLEU" else {}
    metric = getattr(metrics, kind)(references=columns, **options)
    found = metric.corpus_score(list(replies), None, n_bootstrap=resamples)
    # of one reply every resample is that reply, and there is nothing to be seen from it
    middle, half = float(found._mean), float(found._ci)
    ends = Interval(middle - half, middle + half, resamples)
    name = "BLEU" if kind == "BLEU" else "chrF"
    signature = str(metric.get_signature())
    return ReferenceScore(name, float(found.score), ends if len(replies) > 1 else None, signature)


def _columns(references: References) -> list[list[str | None]]:
    """One list for each place of a reference, as sacrebleu takes them."""
    most = max(map(len, references))
    return [[row[n] if n < len(row) else None for row in references] for n in range(most)]


def _meteor(replies: Sequence[str], references: References, lang: Lang) -> ReferenceScore:
    """METEOR with WordNet's synonyms, which are English."""
    if lang != "en":
        raise DataError("its synonyms are WordNet's, which is English")
    nltk = _library("nltk", "eval")
    try:
        nltk.data.find("corpora/wordnet.zip")
    except LookupError as error:
        raise DataError("WordNet is not at hand: python -m nltk.downloader wordnet") from error
    wordnet = import_module("nltk.corpus").wordnet
    return _meteor_with(wordnet, "METEOR", f"nltk {nltk.__version__}, WordNet", *_tokenised(
        replies, references, lang))  # fmt: skip


class _NoSynonyms:
    """In place of WordNet: nothing has a synonym."""

    def synsets(self, word: str) -> tuple[()]:
        """None."""
        return ()


def _meteor_plain(replies: Sequence[str], references: References, lang: Lang) -> ReferenceScore:
    """Exact and stem matches only; a score of its own, comparable to no published METEOR."""
    nltk = _library("nltk", "eval")
    units = "characters" if lang == "zh" else "words"
    how = f"nltk {nltk.__version__}, {units}, exact and stem matches"
    tokens = _tokenised(replies, references, lang)
    return _meteor_with(_NoSynonyms(), "METEOR without synonyms", how, *tokens)


def _tokenised(
    replies: Sequence[str], references: References, lang: Lang
) -> tuple[list[tuple[str, ...]], list[list[tuple[str, ...]]]]:
    said = [reply_tokens(reply, lang) for reply in replies]
    return said, [[reply_tokens(one, lang) for one in row] for row in references]


def _meteor_with(
    wordnet: object,
    name: str,
    how: str,
    replies: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
) -> ReferenceScore:
    score = _library("nltk.translate.meteor_score", "eval").meteor_score
    each = [
        score(row, reply, wordnet=wordnet) for reply, row in zip(replies, references, strict=True)
    ]
    return ReferenceScore(name, float(sum(each) / len(each)), None, how)


def _folder(named: str, option: str) -> str:
    if not named:
        raise DataError(f"no model was named ({option} DIR)")
    if not Path(named).is_dir():
        raise DataError(f"{named} is no folder: give the model's folder ({option} DIR)")
    return named


def _package(module: str, install: str) -> Any:  # noqa: ANN401 - none of these libraries has types
    """A library that no extra brings, since its model has to be fetched by hand as well."""
    try:
        return import_module(module)
    except ImportError as error:
        raise DataError(f"its library is not installed ({install})") from error


def _bertscore(
    replies: Sequence[str], references: References, models: ScoreModels
) -> ReferenceScore:
    folder = _folder(models.bertscore, "--bertscore")
    library = _package("bert_score", "pip install bert-score")
    options = {"model_type": folder, "num_layers": models.bertscore_layer}
    _, _, f1 = library.score(list(replies), [list(row) for row in references], **options)
    how = f"{Path(folder).name}, layer {models.bertscore_layer}, F1, not rescaled"
    return ReferenceScore("BERTScore", float(f1.mean()), None, how)


def _bleurt(replies: Sequence[str], references: References, models: ScoreModels) -> ReferenceScore:
    """The best of a reply's references, mean over replies."""
    folder = _folder(models.bleurt, "--bleurt")
    scorer = _package("bleurt.score", "see github.com/google-research/bleurt").BleurtScorer(folder)
    pairs = [(reply, one) for reply, row in zip(replies, references, strict=True) for one in row]
    said, told = ([pair[n] for pair in pairs] for n in (0, 1))
    left = iter(scorer.score(references=told, candidates=said))
    best = [max(next(left) for _ in row) for row in references]
    return ReferenceScore("BLEURT", sum(best) / len(best), None, Path(folder).name)
