"""Tokenizers and models as the real ones are, and small: for tests marked neural.

The tokenizers are byte-level BPE, trained here on the open corpus, with the pre-tokeniser of
Qwen's and Llama's kind, which lets punctuation and the line breaks after it be one token. The
templates in templates/ are written after the published ones of their families.
"""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
STYLES = ("glm4", "llama3", "qwen2_5", "qwen3")
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPECIAL = {
    "llama3": ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
    "qwen2_5": ("<|endoftext|>", "<|im_end|>", "<|im_start|>"),
    "qwen3": ("<|endoftext|>", "<|im_end|>", "<|im_start|>"),
    "glm4": (
        "<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>",
    ),
}  # fmt: skip
_END = {
    "llama3": "<|eot_id|>",
    "qwen2_5": "<|im_end|>",
    "qwen3": "<|im_end|>",
    "glm4": "<|endoftext|>",
}
_PLAIN = {"qwen3": ("<think>", "</think>")}
VOCABULARY = 1500


def corpus_texts(most=400):
    """Messages of the open corpus, English and Chinese in turn."""
    folder = files("untwist") / "data" / "open"
    lines = [(folder / f"{lang}.jsonl").read_text("utf-8").splitlines() for lang in ("en", "zh")]
    return [json.loads(line)["text"] for pair in zip(*lines, strict=False) for line in pair][:most]


@cache
def bpe():
    """The merges, as the text of a tokenizer.json without special tokens."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # prompts put texts one below the other: that is where the merges come from
    tokenizer.train_from_iterator([text + "\n\n" for text in corpus_texts()], trainer)
    return tokenizer.to_str()


@cache
def tokenizer_of(style):
    """A tokenizer of transformers with the template of a family."""
    from tokenizers import AddedToken, Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer.from_str(bpe())
    inner.add_special_tokens([AddedToken(t, special=True) for t in _SPECIAL[style]])
    inner.add_tokens([AddedToken(t, special=False) for t in _PLAIN.get(style, ())])
    if style == "llama3":
        # as Llama's own: it begins whatever is tokenised with special tokens
        begin = "<|begin_of_text|>"
        inner.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, inner.token_to_id(begin))]
        )
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token=_END[style],
        pad_token=_SPECIAL[style][0],
        bos_token="<|begin_of_text|>" if style == "llama3" else None,
        clean_up_tokenization_spaces=False,
    )
    made.chat_template = (TEMPLATES / f"{style}.jinja").read_text(encoding="utf-8").rstrip("\n")
    return made


def model_of(tokenizer, seed=0, width=32, layers=2, kind="llama"):
    """A causal language model with random weights that fits the tokenizer."""
    import torch
    import transformers

    configs = {"llama": transformers.LlamaConfig, "qwen2": transformers.Qwen2Config}
    config = configs[kind](
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return transformers.AutoModelForCausalLM.from_config(config)
