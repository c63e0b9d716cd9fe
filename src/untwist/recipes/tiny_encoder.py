"""An encoder that is made on the spot: XLM-R's architecture, tiny, with random weights.

It shows that a recipe runs, and nothing else. Its tokenizer is trained on the corpus that ships.
Needs PyTorch and the extra "finetune" when it is made, not when this module is imported.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from untwist.data import load_open
from untwist.errors import MissingExtra

if TYPE_CHECKING:
    from untwist.detect.encoder import Base

VOCABULARY, WIDTH, LAYERS, POSITIONS = 1_000, 32, 1, 256
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def tiny_base(seed: int) -> Base:
    """The encoder and its tokenizer; equal seeds give equal weights.

    Raises:
        MissingExtra: the extra "finetune" is not installed.
    """
    try:
        import torch
        from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel
    except ImportError as error:
        raise MissingExtra("a tiny encoder", "finetune") from error

    from untwist.detect.encoder import Base

    settings = XLMRobertaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=2,
        intermediate_size=2 * WIDTH, max_position_embeddings=POSITIONS + 2, type_vocab_size=1,
        bos_token_id=0, pad_token_id=1, eos_token_id=2,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        body = XLMRobertaModel(settings, add_pooling_layer=False)
    from tokenizers import Tokenizer

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_tokenizer()),
        bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        model_max_length=POSITIONS,
    )  # fmt: skip
    return Base(body, tokenizer)


@cache
def _tokenizer() -> str:
    """Byte-level BPE on our own texts, with XLM-R's special tokens around them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=_SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator((d.utterances[0].text for d in load_open()), trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    text: str = made.to_str()
    return text
