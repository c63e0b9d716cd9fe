"""Tiny real encoders: XLM-R's architecture with random weights, and a tokenizer trained here.

Needs torch, transformers and tokenizers; whoever imports it asks for torch first.
"""

from functools import cache

import tokenizers
import torch
import transformers
from tokenizers import models, pre_tokenizers, processors, trainers

from tests.detect import tiny
from untwist.detect import EncoderConfig, fit_encoder
from untwist.detect.encoder import Base

CONFIG = EncoderConfig(
    encoder="tiny", device="cpu", max_length=32, dropout=0.0, learning_rate=5e-3, batch=8,
    epochs=20, patience=0, intensity=True, threshold=0.5,
)  # fmt: skip
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


@cache
def tokenizer_json(size=300):
    """Byte-level BPE on the tiny texts, with XLM-R's special tokens around them."""
    made = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=_SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator((e.utterance.text for e in tiny.examples()), trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made.to_str()


def tokenizer():
    """As transformers has it."""
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer.from_str(tokenizer_json()),
        bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        model_max_length=64,
    )  # fmt: skip


def base(seed=0, width=32, layers=2, dropout=0.0):
    """An encoder with random weights."""
    torch.manual_seed(seed)
    settings = transformers.XLMRobertaConfig(
        vocab_size=300, hidden_size=width, num_hidden_layers=layers, num_attention_heads=2,
        intermediate_size=2 * width, max_position_embeddings=66, type_vocab_size=1,
        bos_token_id=0, pad_token_id=1, eos_token_id=2,
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
    )  # fmt: skip
    body = transformers.XLMRobertaModel(settings, add_pooling_layer=False)
    return Base(body, tokenizer())


@cache
def detector():
    """Trained once per test process."""
    return fit_encoder(
        {"tiny": tiny.examples()}, CONFIG, base=base(), name="tiny-encoder-v1"
    ).detector
