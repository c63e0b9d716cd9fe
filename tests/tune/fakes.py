"""A tokenizer in a few lines, with the traits that break masks, for tests without transformers.

Punctuation and the line breaks after it are one token, as with Qwen's; special tokens are whole.
"""

import re
from types import SimpleNamespace

_TOKEN = re.compile(r"<\|?[\w/]+\|?>|[^\w\s<]+[\r\n]*|\s*[\r\n]+|\w+|.", re.DOTALL)
END, EOS = "<|im_end|>", "<|endoftext|>"


def chatml(messages, answering, **options):
    """The rendering of Qwen2.5's kind."""
    text = "".join(f"<|im_start|>{m['role']}\n{m['content']}{END}\n" for m in messages)
    return text + ("<|im_start|>assistant\n" if answering else "")


def thinking(messages, answering, enable_thinking=True):
    """The rendering of Qwen3's kind: an answer at the end gets an empty block of thought."""
    block = "<think>\n\n</think>\n\n"
    last = dict(messages[-1])
    if last["role"] == "assistant":
        last["content"] = block + last["content"].lstrip("\n")
    text = chatml([*messages[:-1], last], answering)
    return text + (block if answering and not enable_thinking else "")


def opening(messages, answering, **options):
    """A rendering whose question opens a thought that its quoted answers do not have."""
    return chatml(messages, answering) + ("<think>\n" if answering else "")


def trimming(messages, answering, **options):
    """The rendering of Llama 3's kind, which trims."""
    return chatml([m | {"content": m["content"].strip()} for m in messages], answering)


def endless(messages, answering, **options):
    """The rendering of GLM-4's kind: nothing ends a turn but the next one."""
    text = "".join(f"<|{m['role']}|>\n{m['content']}" for m in messages)
    return text + ("<|assistant|>\n" if answering else "")


class FakeTokenizer:
    """What `untwist.tune` uses of a tokenizer, with the vocabulary that it has seen."""

    def __init__(self, render=chatml, eos=EOS):
        self.render, self.words = render, [EOS, END, "<|im_start|>"]
        self.chat_template = render and render.__name__
        self.eos_token_id = self.words.index(eos) if eos else None
        self.pad_token_id = 0
        self.all_special_ids = [0]
        special = SimpleNamespace(special=True)
        self.added_tokens_decoder = dict.fromkeys(range(3), special)

    def apply_chat_template(self, conversation, tokenize, add_generation_prompt, **options):
        assert tokenize is False
        return self.render(conversation, add_generation_prompt, **options)

    def __call__(self, text, add_special_tokens):
        assert add_special_tokens is False
        return {"input_ids": [self._id(word) for word in _TOKEN.findall(text)]}

    def decode(self, ids, **options):
        return "".join(self.words[id] for id in ids)

    def _id(self, word):
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)
