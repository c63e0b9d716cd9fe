"""Masks with real tokenizers, over four families' templates: golden files and random texts."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tune.tiny import STYLES, corpus_texts, tokenizer_of
from untwist.errors import DataError
from untwist.llm.calls import Request
from untwist.llm.local import Loaded, LocalModel
from untwist.tune import IGNORED, Message, Sample, Template, encode, encode_all

pytestmark = pytest.mark.neural

GOLDEN = Path(__file__).parent / "golden" / "masks.json"
SYSTEM = Message("system", "Name the distortions of the last message.")
SAMPLES = (
    Sample(
        "english",
        "diagnosis",
        (
            SYSTEM,
            Message("user", "It never works out."),
            Message("assistant", "What happened today?"),
            Message("user", "I failed again!\n\n"),
        ),
        "Distortions: overgeneralization.\nIntensity: moderate",
    ),
    Sample(
        "chinese",
        "intervention",
        (Message("user", "我又失败了。"),),
        "听起来很难受。\n\n是什么事？",
    ),
)
MARKS = {"qwen3": "<think>\n\n</think>\n\n"}
ENDS = {
    "glm4": "<|endoftext|>",
    "llama3": "<|eot_id|>",
    "qwen2_5": "<|im_end|>",
    "qwen3": "<|im_end|>",
}


def shown(encoded, tokenizer):
    """The text with what is learned in ⟦brackets⟧."""
    start = encoded.lengths.prompt
    prompt, target = encoded.input_ids[:start], encoded.input_ids[start:]
    assert encoded.labels == (IGNORED,) * start + target
    return f"{tokenizer.decode(prompt)}⟦{tokenizer.decode(target)}⟧"


@pytest.mark.parametrize("style", STYLES)
def test_the_masks_are_those_of_the_golden_file(style):
    tokenizer = tokenizer_of(style)
    found = {s.id: shown(encode(s, tokenizer, 1000), tokenizer) for s in SAMPLES}
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    if os.environ.get("UNTWIST_UPDATE_GOLDEN"):
        golden[style] = found
        GOLDEN.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert golden[style] == found


def test_the_tokenizers_merge_punctuation_with_line_breaks():
    ids = tokenizer_of("qwen2_5")("好。\n\n", add_special_tokens=False)["input_ids"]
    assert tokenizer_of("qwen2_5").decode(ids[-1:]) == "。\n\n"


TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cs", "Cc")),
        st.sampled_from(list("\n\n\t .,!?。，！？…—“”好我a1")),
    ),
    min_size=1,
    max_size=40,
).filter(str.strip)
TURNS = st.lists(TEXTS, min_size=1, max_size=7)


def sample_of(texts, target):
    """Turns of user and assistant that end with the user's."""
    roles = ("user", "assistant")
    first = (len(texts) + 1) % 2
    turns = [Message(roles[(n + first) % 2], text) for n, text in enumerate(texts)]
    return Sample("random", "plain", tuple(turns), target)


@pytest.mark.parametrize("style", STYLES)
@given(texts=TURNS, target=TEXTS, room=st.integers(0, 200))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_learned_whole_and_alone(style, texts, target, room):
    tokenizer = tokenizer_of(style)
    sample = sample_of(texts, target)
    template = Template(tokenizer)
    whole = encode(sample, template, 100_000)
    encoded = encode(sample, template, max(whole.lengths.total - room, _least(sample, template)))
    start = encoded.lengths.prompt
    learned = tokenizer.decode(encoded.input_ids[start:])
    said = learned.removeprefix(MARKS.get(style, "")).removesuffix(ENDS[style])
    assert said.strip() == target.strip()
    # equal to the template's own text, and to what a model is given when it answers
    asked = template.prompt(sample, encoded.dropped_turns)
    assert tokenizer.decode(encoded.input_ids[:start]) == asked
    assert encoded.input_ids[:start] == template.ids(asked)
    assert encoded.labels.count(IGNORED) == start
    assert encoded.input_ids[-1] == tokenizer.convert_tokens_to_ids(ENDS[style])


def _least(sample, template):
    """What the last message and the target need."""
    last = Sample("last", "plain", sample.messages[-1:], sample.target)
    return encode(last, template, 100_000).lengths.total


@pytest.mark.parametrize("style", STYLES)
def test_prompt_and_target_have_the_tokens_of_the_whole_rendering(style):
    template = Template(tokenizer_of(style))
    for text in corpus_texts(200):
        sample = sample_of([text], text)
        answer = [m.to_dict() for m in sample.messages] + [
            {"role": "assistant", "content": sample.target}
        ]
        whole = template.ids(template.render(answer, answering=False))
        encoded = encode(sample, template, 100_000)
        shared = min(len(whole), len(encoded.input_ids))
        assert encoded.input_ids[:shared] == whole[:shared]
        # what differs is after the answer: GLM-4's template ends no turn, the others break a line
        assert len(encoded.input_ids) - len(whole) in (1, 0, -1)


@pytest.mark.parametrize("style", STYLES)
def test_no_target_of_the_open_corpus_is_cut_and_every_one_is_learned(style):
    tokenizer = tokenizer_of(style)
    texts = corpus_texts(400)
    samples = [
        Sample(f"{n}", "diagnosis" if n % 2 else "intervention", (SYSTEM, Message("user", a)), b)
        for n, (a, b) in enumerate(zip(texts, reversed(texts), strict=True))
    ]
    found, report = encode_all(samples, tokenizer, 2048)
    assert report.to_dict()["samples"] == len(texts)
    for sample, encoded in zip(samples, found, strict=True):
        target = tokenizer.decode([id for id in encoded.labels if id != IGNORED])
        assert target == MARKS.get(style, "") + sample.target.strip() + ENDS[style]


@pytest.mark.parametrize("style", STYLES)
def test_a_model_in_this_process_is_asked_with_the_very_tokens_that_were_learned_from(style):
    tokenizer, asked = tokenizer_of(style), []

    def generate(input_ids, **options):
        asked.append(tuple(input_ids[0].tolist()))
        return torch.cat([input_ids, torch.tensor([tokenizer("fine")["input_ids"][-1:]])], dim=1)

    model = SimpleNamespace(device="cpu", generate=generate)
    for sample in SAMPLES:
        request = Request(tuple(m.to_dict() for m in sample.messages), max_tokens=9)
        LocalModel("tiny", loaded=Loaded(tokenizer, model)).complete(request)
        encoded = encode(sample, tokenizer, 1000)
        assert asked[-1] == encoded.input_ids[: encoded.lengths.prompt]


def test_thinking_turned_off_gives_the_same_tokens_with_less_of_them_learned():
    tokenizer = tokenizer_of("qwen3")
    on = encode(SAMPLES[1], tokenizer, 1000)
    off = encode(SAMPLES[1], Template(tokenizer, {"enable_thinking": False}), 1000)
    assert on.input_ids == off.input_ids
    assert on.lengths.target - off.lengths.target == len(Template(tokenizer).ids(MARKS["qwen3"]))


def test_a_template_that_refuses_system_messages_says_so():
    tokenizer = tokenizer_of("llama3")
    strict = (
        "{%- if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{%- endif %}"
    )
    changed = type(tokenizer)(tokenizer_object=tokenizer.backend_tokenizer, eos_token="<|eot_id|>")
    changed.chat_template = strict + tokenizer.chat_template
    with pytest.raises(DataError, match="refuses the messages: no system"):
        encode(SAMPLES[0], changed, 1000)
