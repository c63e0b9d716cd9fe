"""The losses: masked yes/no answers, one answer of many, and a teacher's probabilities.

Heavy: importing this module needs PyTorch. Each loss is a sum over known cells; it becomes a true
mean when it is divided by the cells of the whole batch, so that neither micro-batches nor
processes change it (the reference divides by the labels, and so is a batch's size too large).
"""

from __future__ import annotations

from dataclasses import dataclass

from untwist.detect.encoder_config import EncoderConfig, Objective, SoftLoss
from untwist.errors import MissingExtra

try:
    import torch
except ImportError as error:
    raise MissingExtra("training an encoder", "finetune") from error

F = torch.nn.functional
FLOOR = 1e-8
"""What the reference adds to a probability before its logarithm."""


@dataclass(frozen=True, slots=True)
class Cells:
    """What is known of some texts, every array of shape (texts, outputs).

    Attributes:
        gold: 1 where a label holds.
        mask: 1 where that is known.
        teacher: a teacher's probabilities.
        taught: 1 where the teacher said one and the corpus can carry the label.
    """

    gold: torch.Tensor
    mask: torch.Tensor
    teacher: torch.Tensor
    taught: torch.Tensor


@dataclass(frozen=True, slots=True)
class Totals:
    """The known cells of a whole batch, over all micro-batches and processes.

    Attributes:
        hard: cells (objective "each") or texts (objective "one") with gold labels.
        soft: cells with a teacher's probability.
    """

    hard: float
    soft: float


def total_loss(
    logits: torch.Tensor, cells: Cells, totals: Totals, config: EncoderConfig
) -> torch.Tensor:
    """This part's share of the batch's loss; the shares of all parts sum to it.

    Where a teacher spoke it is alpha * gold + (1 - alpha) * teacher, each a mean over its own
    cells (CrossLinCD, equation 1); else the gold labels alone.
    """
    hard = hard_sum(logits, cells.gold, cells.mask, config.objective) / max(totals.hard, 1.0)
    if not totals.soft:
        return hard
    soft = soft_sum(logits, cells.teacher, cells.taught, config.soft_loss) / totals.soft
    return config.alpha * hard + (1 - config.alpha) * soft


def hard_sum(
    logits: torch.Tensor, gold: torch.Tensor, mask: torch.Tensor, objective: Objective
) -> torch.Tensor:
    """Cross-entropy with the gold labels, summed over known cells or, for "one", over texts."""
    logits = logits.float()
    if objective == "each":
        return (F.binary_cross_entropy_with_logits(logits, gold, reduction="none") * mask).sum()
    allowed = logits.masked_fill(mask == 0, float("-inf"))
    known = gold.sum(dim=1) > 0
    chosen = F.log_softmax(allowed[known], dim=1).gather(1, gold[known].argmax(1, keepdim=True))
    return -chosen.sum()


def soft_sum(
    logits: torch.Tensor, teacher: torch.Tensor, taught: torch.Tensor, kind: SoftLoss
) -> torch.Tensor:
    """Divergence from the teacher's probabilities, summed over the cells that it taught.

    "bernoulli": t log(t / p) + (1 - t) log((1 - t) / (1 - p)), at least 0, and 0 only for p = t.
    "one_sided": t (log t - log(p + 1e-8)), the reference's; least at p = 1 whatever t is.
    """
    logits = logits.float()
    if kind == "one_sided":
        entropy = torch.special.xlogy(teacher, teacher)
        return ((entropy - teacher * (logits.sigmoid() + FLOOR).log()) * taught).sum()
    entropy = torch.special.xlogy(teacher, teacher) + torch.special.xlogy(1 - teacher, 1 - teacher)
    cross = F.binary_cross_entropy_with_logits(logits, teacher, reduction="none")
    return ((cross + entropy) * taught).sum()
