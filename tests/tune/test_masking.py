"""What is learned of a sample: the target, the end of its turn, and nothing else."""

import pytest

from tests.tune import fakes
from tests.tune.fakes import FakeTokenizer
from untwist.errors import ConfigError, DataError
from untwist.tune import IGNORED, Encoded, Lengths, Message, Sample, Template, encode, encode_all

SYSTEM = Message("system", "Be brief.")


def history(turns):
    """Turns of user and assistant; the last is the user's."""
    roles = ("user", "assistant")
    said = [Message(roles[n % 2], f"words number {n}。") for n in range(turns)]
    return (SYSTEM, *said)


def sample(turns=1, target="I see。", **changes):
    values = {"id": "a", "stream": "intervention", "messages": history(turns), "target": target}
    return Sample(**(values | changes))


def learned(encoded, tokenizer):
    return tokenizer.decode(id for id in encoded.labels if id != IGNORED)


def given(encoded, tokenizer):
    return tokenizer.decode(encoded.input_ids[: encoded.lengths.prompt])


@pytest.mark.parametrize(
    ("render", "expected"),
    [
        (fakes.chatml, "I see。<|im_end|>"),
        (fakes.trimming, "I see。<|im_end|>"),
        (fakes.thinking, "<think>\n\n</think>\n\nI see。<|im_end|>"),
        (fakes.opening, "I see。<|im_end|>"),
        (fakes.endless, "I see。<|endoftext|>"),
    ],
)
def test_the_target_and_the_end_of_its_turn_are_learned(render, expected):
    tokenizer = FakeTokenizer(render)
    encoded = encode(sample(3), tokenizer, 1000)
    assert learned(encoded, tokenizer) == expected
    assert given(encoded, tokenizer) == render(
        [m.to_dict() for m in sample(3).messages], answering=True
    )


def test_an_option_of_the_template_moves_the_empty_thought_into_the_prompt():
    tokenizer = FakeTokenizer(fakes.thinking)
    encoded = encode(sample(), Template(tokenizer, {"enable_thinking": False}), 1000)
    assert learned(encoded, tokenizer) == "I see。<|im_end|>"
    assert given(encoded, tokenizer).endswith("</think>\n\n")


def test_a_last_message_that_ends_in_punctuation_does_not_hide_the_target():
    # in CoPoLLM's code "。\n\n" is one token, and no mask was found in any sample
    tokenizer = FakeTokenizer(fakes.endless)
    assert (
        tokenizer("好。\n\n", add_special_tokens=False)["input_ids"][-1] == len(tokenizer.words) - 1
    )
    encoded = encode(sample(target="\n\n。\n好。\n"), tokenizer, 1000)
    assert learned(encoded, tokenizer) == "\n\n。\n好。\n<|endoftext|>"


def test_a_marker_written_by_the_person_does_not_move_the_mask():
    tokenizer = FakeTokenizer()
    said = Message("user", "<|im_start|>assistant\nI see。<|im_end|>")
    encoded = encode(sample(messages=(said,)), tokenizer, 1000)
    assert learned(encoded, tokenizer) == "I see。<|im_end|>"


def test_the_earliest_turns_go_first_and_the_system_message_stays():
    tokenizer = FakeTokenizer()
    whole = encode(sample(7), tokenizer, 1000)
    assert whole.dropped_turns == 0
    encoded = encode(sample(7), tokenizer, whole.lengths.total - 1)
    assert encoded.dropped_turns == 2
    shown = given(encoded, tokenizer)
    assert "Be brief" in shown
    assert "number 2" in shown
    assert "number 1" not in shown
    assert learned(encoded, tokenizer) == learned(whole, tokenizer)


def test_what_is_left_of_the_history_begins_with_the_user():
    tokenizer = FakeTokenizer()
    for most in range(40, 120):
        try:
            encoded = encode(sample(9), tokenizer, most)
        except DataError:
            continue
        assert encoded.lengths.total <= most
        assert encoded.dropped_turns % 2 == 0


def test_a_target_that_alone_is_too_long_is_refused_and_not_cut():
    with pytest.raises(DataError, match="target alone is too long"):
        encode(sample(target="word " * 50), FakeTokenizer(), 40)


def test_a_last_message_that_leaves_no_room_is_refused_and_not_cut():
    long = (Message("user", "word " * 50),)
    with pytest.raises(DataError, match="last message and the target are too long together"):
        encode(sample(messages=long), FakeTokenizer(), 40)


def test_a_template_that_changes_the_answer_is_refused():
    def censoring(messages, answering, **options):
        return fakes.chatml(
            [m | {"content": m["content"].replace("see", "…")} for m in messages], answering
        )

    with pytest.raises(DataError, match="renders this answer otherwise"):
        encode(sample(), FakeTokenizer(censoring), 1000)


def test_a_template_that_leaves_answers_out_is_refused():
    def silent(messages, answering, **options):
        return fakes.chatml([m for m in messages if m["role"] != "assistant"], answering)

    with pytest.raises(ConfigError, match="does not repeat an answer"):
        Template(FakeTokenizer(silent))


def test_a_tokenizer_without_template_or_end_is_refused_with_what_to_do():
    with pytest.raises(ConfigError, match="instruct or chat variant"):
        Template(FakeTokenizer(None))
    with pytest.raises(ConfigError, match="set its eos_token"):
        Template(FakeTokenizer(fakes.endless, eos=None))


def test_no_sample_without_a_learned_token_can_be_made():
    with pytest.raises(DataError, match="no token is learned"):
        Encoded((1, 2), (IGNORED, IGNORED), "plain", 0, Lengths(2, 0))


def test_labels_out_of_their_places_cannot_be_made():
    with pytest.raises(DataError, match="in their places"):
        Encoded((1, 2, 3), (IGNORED, 3, IGNORED), "plain", 0, Lengths(2, 1))
    with pytest.raises(DataError, match="lengths"):
        Encoded((1, 2, 3), (IGNORED, IGNORED, 3), "plain", 0, Lengths(1, 1))


def test_the_report_counts_what_was_shortened_and_refused():
    tokenizer = FakeTokenizer()
    short, long = sample(1, id="short"), sample(9, id="long")
    bad = sample(target="word " * 200, id="bad", stream="diagnosis")
    limit = encode(long, tokenizer, 1000).lengths.total - 1
    found, report = encode_all([short, long, bad], tokenizer, limit, refuse=True)
    assert len(found) == 2
    assert [id for id, _ in report.refused] == ["bad"]
    lengths = [each.lengths for each in found]
    told = report.to_dict()
    assert told == {
        "samples": 2,
        "refused": 1,
        "shortened": 1,
        "dropped_turns": 2,
        "streams": {"intervention": told["streams"]["intervention"]},
    }
    assert told["streams"]["intervention"]["tokens"] == sum(each.total for each in lengths)
    assert told["streams"]["intervention"]["total"]["max"] == lengths[1].total


def test_a_sample_that_cannot_be_encoded_stops_the_run_unless_it_is_to_be_counted():
    bad = sample(target="word " * 50, id="number 7")
    with pytest.raises(DataError, match="sample number 7: the target alone"):
        encode_all([bad], FakeTokenizer(), 40)
    with pytest.raises(DataError, match="no sample can be encoded"):
        encode_all([bad], FakeTokenizer(), 40, refuse=True)
