"""Which losses a run as a whole minimises: a rise of another one is no fault. And what says how well a task is done."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What a rule that reads any of them requires among its metrics.
ANY: Final = "objective"
#: Under these names it is that, unless the metrics tell of a game of two or of a reward. "logloss" and its kin are what
#: boosted trees minimise.
_NAMES: Final = frozenset({
    "loss", "lm_loss", "epoch_loss", "mean_loss", "smoothed_loss", "loss_ema", "nll_bits",
    "logloss", "mlogloss", "binary_logloss", "multi_logloss",
})  # fmt: skip
#: Also what the macro `is_of_a_game` of `rules/database.py` asks.
GAME: Final = re.compile(
    r"reward|advantage|(^|_)(return|score|ppo_kl|episode_length)$"
    r"|(^|_)(epsilon|exploration(_rate)?|mean_q|max_q|q_values?|td_error|episodes)$|^ret[0-9]*$"
    r"|(policy|actor|critic|value|td|generator|discriminator|adversarial|adv)_loss$"
    r"|(^|_)[dg](en|isc)?_?loss$|^loss_[dg](_|$)"
)
#: How well a task is done, 0 where nothing is right: also what the macro `measures_a_task` asks.
TASK: Final = re.compile(
    r"^((m|macro_|micro_|bbox_|segm_|mean_|weighted_)?(ap|map|f1|fscore|iou|miou|dice|dice_coef|recall|precision)"
    r"(50|75|@0_5|@50|_0_5)?(_95|_score)?"
    r"|(recall|precision|ndcg|mrr|hr|hit|hits|hit_rate|hitrate|map)@[0-9]+|mrr|ndcg|success_rate|win_rate"
    r"|ents_[fpr]|exact(_match)?|em|token_acc|seq_acc|([a-z_]*_)?bleu(_[1-4])?|rouge_?[12l]?)$"
)
#: What else is better when it is larger, and when it is smaller. What is the best so far can only get better.
_NOT_SO: Final = r"^(?!best|new_|max|min|std|negative|rejected)([a-z_]+_)?"
_MORE: Final = re.compile(rf"{_NOT_SO}(acc|accuracy|auc|auroc|reward|return|score|psnr|ssim|r2)$")
_LESS: Final = re.compile(rf"{_NOT_SO}(error|mae|mse|rmse|mape|perplexity|wer|cer|label_error_rate|nll_bits)$")
#: Terms beside others: alone they are printed without what they are added to.
_TERMS: Final = frozenset({"aux_loss", "kd_loss", "kl_loss", "mtp_loss", "sop_loss", "z_loss"})


def is_loss(name: str) -> bool:
    """True for a loss or a term of one: `kd_loss`, and `ctcloss`."""
    return name.endswith("loss")


def is_game(names: Iterable[str]) -> bool:
    """True for metrics of agents or adversaries, which tell of a game of two or of a reward."""
    return any(GAME.search(name) for name in names if name)


def of(names: Iterable[str]) -> frozenset[str]:
    """Of the metrics of a run the losses that it minimises: those named so, or the only one that there is."""
    names = frozenset(name for name in names if name)
    if is_game(names):
        return frozenset()
    losses = [name for name in names if is_loss(name)]
    return names & _NAMES or frozenset(losses if len(losses) == 1 else ()) - _TERMS


def is_share(name: str) -> bool:
    """True for what is a part of a whole, 1 or 100 %: right answers, and how well a task is done."""
    return name.endswith(("acc", "accuracy", "auc", "auroc")) or TASK.search(name) is not None


def less_is_better(name: str) -> bool | None:
    """Whether a metric gets better by falling; None where its name does not say what is better."""
    if _LESS.search(name):
        return True
    return False if TASK.search(name) or _MORE.search(name) else None
