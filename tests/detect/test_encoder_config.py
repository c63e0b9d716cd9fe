"""The settings of an encoder: what contradicts is refused, and presets say what the paper says."""

import pytest

from untwist.detect import EncoderConfig, preset, presets
from untwist.detect.outputs import NONE, Outputs, best_threshold, crosslincd_labels, macro_f1
from untwist.errors import ConfigError
from untwist.schema import Labels
from untwist.taxonomy import CANONICAL, Distortion, Intensity, taxonomy


def test_the_default_outputs_are_the_fifteen_of_the_paper_in_its_order():
    labels = crosslincd_labels()
    assert len(labels) == 15 == EncoderConfig().outputs.count
    aligned = [found[0].value for found in taxonomy("aligned-12").labels.values()]
    assert list(labels[:12]) == aligned
    assert set(labels[12:]) == {"negative_emotion", "comparing", NONE}


def test_the_defaults_are_the_papers_values():
    config = EncoderConfig()
    found = (config.learning_rate, config.batch, config.threshold, config.max_length, config.alpha)
    assert found == (1e-5, 16, 0.25, 200, 0.8)
    assert config.encoder == "FacebookAI/xlm-roberta-large"
    assert config.soft_loss == "bernoulli"


def test_every_preset_is_a_whole_configuration():
    assert presets() == (
        "crosslincd-aligned", "crosslincd-multi", "crosslincd-single", "crosslincd-ts-student",
        "crosslincd-ts-teacher",
    )  # fmt: skip
    made = {name: EncoderConfig(**preset(name)) for name in presets()}
    assert {name: c.dropout for name, c in made.items()} == {
        "crosslincd-single": 0.2, "crosslincd-multi": 0.5, "crosslincd-aligned": 0.3,
        "crosslincd-ts-teacher": 0.3, "crosslincd-ts-student": 0.3,
    }  # fmt: skip
    assert made["crosslincd-ts-teacher"].objective == "one"
    several = [name for name, c in made.items() if c.heads == "per_corpus"]
    assert several == ["crosslincd-multi", "crosslincd-ts-student"]
    assert all(c.learning_rate == 1e-5 and not c.windows for c in made.values())


def test_an_unknown_preset_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="crosslincd-multi"):
        preset("crosslincd-mutli")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": "each"}, "did you mean"),
        ({"sampling": "proportionate"}, '"proportional"'),
        ({"temperature": 2.0}, 'sampling to "temperature"'),
        ({"objective": "one", "intensity": True}, "intensity"),
        ({"objective": "one", "labels": ("labeling",)}, NONE),
        ({"objective": "one", "threshold_from": "validation"}, "threshold_from"),
        ({"labels": ("labelling",)}, "unknown labels"),
        ({"labels": ("labeling", "labeling")}, "once"),
        ({"labels": (NONE,)}, "at least one distortion"),
        ({"accumulation": 17}, "accumulation"),
        ({"dropout": 1.0}, "dropout"),
        ({"threshold": 0.0}, "threshold"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"alpha": 1.5}, "alpha"),
        ({"warmup": -0.1}, "warmup"),
        ({"max_length": 4}, "max_length"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        EncoderConfig(**changes)


def _labels(found, carried=CANONICAL, intensity=None):
    return Labels(None if found is None else frozenset(found), frozenset(carried), intensity)


def test_a_cell_is_masked_where_the_corpus_cannot_carry_the_label_or_nobody_judged():
    outputs = Outputs(("labeling", "blaming", NONE), intensity=True)
    gold, mask = outputs.targets(
        [
            _labels([Distortion.LABELING], [Distortion.LABELING], Intensity.MODERATE),
            _labels([], [Distortion.LABELING]),
            _labels(None, [Distortion.LABELING]),
        ]
    )
    assert gold.tolist() == [[1, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]
    assert mask.tolist() == [[1, 0, 1, 1, 1], [1, 0, 1, 0, 0], [0, 0, 0, 0, 0]]


def test_none_is_not_learnt_as_never_from_a_corpus_without_undistorted_texts():
    outputs = Outputs(("labeling", NONE))
    _, mask = outputs.targets([_labels([Distortion.LABELING])] * 2)
    assert mask.tolist() == [[1, 0], [1, 0]]


def test_canonical_columns_are_found_in_any_order():
    outputs = Outputs((CANONICAL[3].value, CANONICAL[0].value))
    assert outputs.canonical.tolist() == [1, -1, -1, 0] + [-1] * 8


def test_the_best_threshold_is_inclusive_and_counts_unmasked_cells_alone():
    import numpy as np

    chance = np.array([[0.3, 0.9], [0.6, 0.9]], np.float32)
    gold, mask = np.array([[0, 1], [1, 1]], bool), np.array([[1, 0], [1, 0]], bool)
    grid = np.array([0.25, 0.5, 0.6, 0.7], np.float32)
    # 0.25 finds both of the first column (F1 2/3), 0.5 and 0.6 the right one (F1 1): the lower
    assert best_threshold(chance, gold, mask, grid) == 0.5
    assert macro_f1(gold, chance >= 0.6, mask) == 1.0
