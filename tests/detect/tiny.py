"""A tiny real detector: trained here, in a second, on texts with an obvious signal."""

from functools import cache

from untwist.detect import Example, FastConfig, FastDetector, fit
from untwist.schema import Finding, Labels, Utterance
from untwist.taxonomy import CANONICAL, Distortion, Intensity, Risk

CONFIG = FastConfig(folds=2, steps=15, min_texts=1, longest_en=60, longest_zh=30)
_SUBJECTS = ("The tea", "My bike", "Her talk", "The bus", "Our shop", "That film", "This week")


def _example(text, label, evidence, person):
    found = ()
    if label:
        start = text.index(evidence)
        found = (Finding(label, 1.0, start, start + len(evidence)),)
    labels = Labels(
        frozenset({label} if label else ()),
        frozenset(CANONICAL),
        Intensity.SEVERE if label else None,
        Risk.LOW if label else Risk.NONE,
        (),
        found,
    )
    return Example(Utterance(text), labels, person)


@cache
def examples() -> tuple[Example, ...]:
    """Four kinds of sentence about seven subjects, in both languages."""
    rows = []
    for i, subject in enumerate(_SUBJECTS):
        who, end = f"p{i}", "." if i % 2 else ""
        rows += [
            _example(
                f"{subject} was late, it is a total catastrophe{end}", Distortion.MAGNIFICATION,
                "it is a total catastrophe", who,
            ),
            _example(
                f"{subject} was late, I am such a loser{end}", Distortion.LABELING,
                "I am such a loser", who,
            ),
            _example(f"{subject} was late, so I waited", None, "", who),
            _example(
                f"第{i}次迟到了，简直是世界末日", Distortion.MAGNIFICATION, "简直是世界末日", who
            ),
            _example(f"第{i}次迟到了，我就是个废物", Distortion.LABELING, "我就是个废物", who),
            _example(f"第{i}次迟到了，等了一会儿", None, "", who),
        ]  # fmt: skip
    return tuple(rows)


@cache
def detector() -> FastDetector:
    """Trained once per test process."""
    return fit(examples(), CONFIG, 0, "tiny-v1")
