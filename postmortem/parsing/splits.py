"""The split that a record measures, where its names do not say so: `Test Loss: 0.15 Acc: 0.95`, `DEV : loss 0.5`."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from postmortem.parsing import loggers
from postmortem.parsing.numbers import NUMBER, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Pair

#: Characters in which a record says of what split it is.
_HEAD: Final = 120
#: Something in brackets; a word, with the dots and colons of a module's name and line.
_TOKEN: Final = re.compile(r"\[(?P<inside>[^\[\]]*)\]|(?P<word>[^\W\d](?:[\w.]|:[0-9])*)")
#: How a logger is called that a program's first file makes.
_PROGRAM: Final = "__main__"
#: A measure of the n-th set of a split.
_NUMBERED: Final = re.compile(r"(?P<split>[A-Za-z]+)_(?P<set>[0-9])[\s/_-](?P<name>.+)")
#: A split in brackets behind all that is measured: `Loss 6.0 = 4.5 + 1.5 (train)`.
_BEHIND_ALL: Final = re.compile(r"\((?P<split>[A-Za-z]{2,12})\)\s*\Z")
#: A split in brackets behind each of several values: `RMSE: 0.5 (train) 0.75 (test)`.
_BEHIND_EACH: Final = re.compile(rf"(?P<value>{NUMBER})\s?\((?P<split>[A-Za-z]{{2,12}})\)")
#: A split by its first letter.
_LETTER: Final = re.compile(r"(?P<letter>[tvTV])_?(?P<name>[A-Za-z]\w*)")
#: Whose it is, the split, and a colon before what is measured: `All clients testing: loss 0.5`.
_OWNED: Final = re.compile(r"[>*#\s-]{0,8}(?:\w{1,20} ){1,3}(?P<split>[A-Za-z]{4,12}):\s+(?=[A-Za-z\[])")
#: One name, whose digits nobody would look at if it had any, and a sign that what follows is of it.
_HEADED: Final = re.compile(r"\s*(?P<name>[A-Za-z][A-Za-z_/]{0,40})\s*(?:[:=(|\[]+|-{2,}|\s-)\s*[A-Za-z]+\s*[:=]?\s*$")
#: A name with a sign, behind which a split stands with its number: `acc: train=0.75 val=0.5`.
_NAMED: Final = re.compile(
    r"(?<![\w.])(?P<name>[A-Za-z][A-Za-z_]{0,30})\s?[:=(\[|]+\s?(?=[A-Za-z]+\s?[:=]?\s?[-+.0-9])"
)
#: A word with a colon, a bar or an open bracket, or in brackets, behind which a name stands and no number.
_SECTION: Final = re.compile(
    r"(?<![\w.])(?P<split>[A-Za-z]{2,12})(?::\s+|\s\|\s|[\])]:?\s+|\s?[=:]?\s?[\[({]\s?)(?=[A-Za-z])"
)
#: A field of its own: `{'split': 'test', 'accuracy': 0.5}`, `phase=val loss=0.5`.
_FIELD: Final = re.compile(
    r"(?<![\w.-])(?P<quote>['\"]?)(?:split|phase|mode|subset|stage)(?P=quote)\s?[:=]\s?(?P<mark>['\"]?)(?P<split>[A-Za-z]{2,12})(?P=mark)(?!\w)"
)
#: What is computed of the answers, once they are all given: behind the losses of both splits it is of the evaluation.
_OF_ANSWERS: Final = re.compile(
    r"(?i)(?:(?:mean|avg|macro|micro|weighted|m)[_ ]?)?(?:acc|accuracy|top[_-]?1|acc@?1|f1|auc|auroc|ap|map|iou|miou|"
    r"dice|precision|recall|bleu|rouge[_-]?[12l]|wer|cer|r2|mae|rmse)(?:[_ ]score)?"
)
#: Splits by their first letters.
OF_LETTER: Final = {"t": "train", "v": "val"}
#: What belongs to the run, whatever a line measures.
OF_THE_RUN: Final = frozenset({"lr", "grad_norm", "loss_scale", "param_norm", "throughput", "step_time"})
_RESOURCE: Final = re.compile(
    r"(?i)time|duration|elapsed|eta\b|speed|mem|sec|best|momentum|lr\b|mfu|fps\b|tok\w*/s|drift"
)


def named_first(text: str, names: Names) -> str | None:
    """The split, `train` or `eval`, that a text names before all else: `Epoch 1 [valid]`."""
    word = _word_first(text[:_HEAD], names)
    return names.splits[word] if word else None


def is_of_a_split(key: str, names: Names) -> bool:
    """Whether what has this name is measured on a split, and its name says of none."""
    return names.metric(key).split is None and _of_a_split(key, names)


def with_splits(text: str, pairs: Sequence[Pair], names: Names) -> list[Pair]:
    """The pairs of a record, with the split before the name of each that has none and is of one."""
    pairs = _in_sections(text, _of_field(text, _behind_each(text, pairs, names), names), names)
    pairs = _in_turn(_by_letter(_validated(_of_one_name(text, pairs, names), names)), names)
    pairs = _of_the_one_before(_behind_both(pairs, names), names)
    own = [names.metric(pair.key).split for pair in pairs]
    split = _word_first(text[: pairs[0].at[0]][:_HEAD], names) if pairs else None
    if split is None and (behind := _BEHIND_ALL.search(text)) and names.is_split(behind["split"]):
        split = behind["split"].lower()
    # a split is a word of its own, which more than one name may follow, where it comes first and no name has another
    apart = split is not None and {names.splits[split]} == {its for its in own if its}
    if any(own) and not apart:
        split = None
    bare = Counter(pair.key for pair, its in zip(pairs, own, strict=True) if its is None)
    found = []
    for pair, its in zip(pairs, own, strict=True):
        if its is not None:
            if _of_a_split(pair.key, names):  # a time that its training took says nothing of what follows
                word, blank, _ = pair.key.partition(" ")
                split, apart = (word, True) if blank and names.is_split(word) else (its, False)
            found.append(pair)
        elif split and (apart or not any(own) or bare[pair.key] > 1) and _of_a_split(pair.key, names):
            found.append(pair._replace(key=f"{split} {pair.key}"))
        else:
            found.append(pair)
    return found


def _of_field(text: str, pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """What a record measures is of the split that one of its fields names."""
    said = _FIELD.search(text)
    if said is None or said["split"].lower() not in names.splits:
        return pairs
    return [
        pair._replace(key=f"{said['split']} {pair.key}")
        if names.metric(pair.key).split is None and _of_a_split(pair.key, names)
        else pair
        for pair in pairs
    ]


def _behind_each(text: str, pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """What has one name and several values, with the split of each behind it."""
    of = [found for found in _BEHIND_EACH.finditer(text) if names.is_split(found["split"])] if ")" in text else []
    if len(of) < len(OF_LETTER):
        return pairs
    own = {pair.at: pair for pair in pairs}
    name: Pair | None = None
    for found in of:
        at = found.span("value")
        name = own.get(at, name)  # a value without one has the name before it
        if name is not None and names.metric(name.key).split is None:
            key = f"{found['split']} {name.key}"
            own[at] = name._replace(key=key, value=read(found["value"]), text=found["value"], at=at)
    return list(own.values())


def _in_sections(text: str, pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """Each split with a colon and what it measures: `Training: loss = 0.5, acc = 0.75 | Val: loss = 0.25`."""
    if len(pairs) < len(OF_LETTER) or any(names.metric(pair.key).split for pair in pairs):
        return pairs
    begin = [found for found in _SECTION.finditer(text, 0, pairs[-1].at[0]) if names.is_split(found["split"])]
    if len({names.splits.get(found["split"].lower()) for found in begin}) < len(OF_LETTER):
        return _in_brackets(text, pairs, names, begin)
    found = []
    for pair in pairs:
        of = [each["split"] for each in begin if each.end() <= pair.at[0]]
        found.append(pair._replace(key=f"{of[-1]} {pair.key}") if of and _of_a_split(pair.key, names) else pair)
    return found


def _in_brackets(text: str, pairs: Sequence[Pair], names: Names, begin: Sequence[re.Match[str]]) -> Sequence[Pair]:
    """What the evaluation measures of the same names, in brackets behind them: `loss 0.5 (val: loss 0.25)`."""
    if len(begin) != 1 or text[: begin[0].start()][-1:] not in ("(", "["):
        return pairs
    inside, split = begin[0], begin[0]["split"]
    before = {pair.key for pair in pairs if pair.at[1] <= inside.start()}
    behind = [pair for pair in pairs if pair.at[0] >= inside.end()]
    if names.splits.get(split.lower()) != "eval" or not before.issuperset(pair.key for pair in behind):
        return pairs
    return [pair._replace(key=f"{split} {pair.key}") if pair in behind else pair for pair in pairs]


def _of_one_name(text: str, pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """What nothing but splits names has the name that stands before them: `acc --- train: 0.75 val: 0.5`."""
    if len(pairs) < len(OF_LETTER) or not all(names.is_split(pair.key) for pair in pairs):
        return pairs
    heads = [each for each in _NAMED.finditer(text, 0, pairs[-1].at[0]) if names.metric(each["name"]).known]
    if len(heads) > 1 and heads[0].end() <= pairs[0].at[0]:
        of = [[each["name"] for each in heads if each.end() <= pair.at[0]][-1] for pair in pairs]
        return [pair._replace(key=f"{pair.key} {name}") for pair, name in zip(pairs, of, strict=True)]
    head = _HEADED.match(text, 0, pairs[0].at[0])
    if head is None or names.is_split(head["name"]) or names.counter(head["name"]):
        return pairs
    return [pair._replace(key=f"{pair.key} {head['name']}") for pair in pairs]


def _validated(pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """Boosters number the sets that they validate on, `valid_1 auc`: the last is the one that stops the training.

    Source: XGBoost's `eval_set`, of which the last decides. Those before it, often the training's, are told apart.
    """
    numbered = {
        pair.at: each for pair in pairs if (each := _NUMBERED.fullmatch(pair.key)) and names.is_split(each["split"])
    }
    last = max((each["set"] for each in numbered.values()), default="")  # one digit each

    def told(pair: Pair, each: re.Match[str]) -> Pair:
        scope = pair.scope if each["set"] == last else f"set_{each['set']}"
        return pair._replace(key=f"{each['split']} {each['name']}", scope=scope)

    return [told(pair, each) if (each := numbered.get(pair.at)) else pair for pair in pairs]


def _in_turn(pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """One name for both splits, `loss train: 0.5 eval: 0.25`: the second has the name that stands before the first."""
    found: list[Pair] = []
    name = None
    for pair in pairs:
        head, _, last = pair.key.rpartition(" ")
        bare = names.is_split(pair.key)
        if bare and name:
            found.append(pair._replace(key=f"{pair.key} {name}"))
            continue
        name = head if names.is_split(last) and names.metric(head).known else None
        found.append(pair)
    return found


def _behind_both(pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """What stands once, behind the losses of both splits, is of the evaluation: `train_loss 1 val_loss 2 f1 0.5`."""
    metrics = [names.metric(pair.key) for pair in pairs]
    splits = {metric.name: [other.split for other in metrics if other.name == metric.name] for metric in metrics}
    both = [i for i, metric in enumerate(metrics) if metric.split == "eval" and "train" in splits[metric.name]]
    if not both:
        return pairs
    return [
        pair._replace(key=f"val {pair.key}")
        if i > both[0] and splits[metric.name] == [None] and _OF_ANSWERS.fullmatch(pair.key)
        else pair
        for i, (pair, metric) in enumerate(zip(pairs, metrics, strict=True))
    ]


def _of_the_one_before(pairs: Sequence[Pair], names: Names) -> Sequence[Pair]:
    """A split alone, behind the only measure of the record: `loss 0.5 -> val 0.75`, `train err = 3.5, test = 7.5`."""
    measured = [pair for pair in pairs if names.metric(pair.key).known and _of_a_split(pair.key, names)]
    # `loss = 0.5 eval = 0.75` evaluates anything
    alone = [pair for pair in pairs if pair.key.lower() in names.splits and pair.key.lower() != "eval"]
    trained = any(names.splits[pair.key.lower()] == "train" for pair in alone)
    if not measured or len(alone) == trained:
        return pairs
    name = measured[0].key.rpartition(" ")[2]
    if trained and names.metric(name).name == "loss" and all(0 <= pair.value <= 1 for pair in alone):
        name = "accuracy"  # beside the loss, `Loss: 1.5, Train: 0.75, Val: 0.5`; source: PyTorch Geometric's examples
    elif trained or len(measured) > 1 or names.metric(measured[0].key).split == "eval" or measured[0].at > alone[0].at:
        return pairs
    return [pair._replace(key=f"{pair.key} {name}") if pair in alone else pair for pair in pairs]


def _by_letter(pairs: Sequence[Pair]) -> Sequence[Pair]:
    """`t_loss` and `v_loss`, or `tloss` and `vloss`, are of both splits; one alone is that of a value function."""
    found = [_LETTER.fullmatch(pair.key) for pair in pairs]
    letters: dict[str, set[str]] = {}
    for each in found:
        if each:
            letters.setdefault(each["name"], set()).add(each["letter"].lower())
    return [
        pair._replace(key=f"{OF_LETTER[each['letter'].lower()]} {each['name']}")
        if each and len(letters[each["name"]]) == len(OF_LETTER)
        else pair
        for pair, each in zip(pairs, found, strict=True)
    ]


def _of_a_split(key: str, names: Names) -> bool:
    return names.metric(key).name not in OF_THE_RUN and _RESOURCE.search(key) is None


def _word_first(head: str, names: Names) -> str | None:
    """The split that a record begins with, or that stands alone in brackets: `Validation: `, `[valid] `."""
    found = None
    if not head.isascii() and (said := {split for split in names.splits if not split.isascii() and split in head}):
        whole = max(said, key=len)  # of `the test set`, `test` is a part
        if all(split in whole for split in said):
            return names.splits[whole]
    if (owned := _OWNED.match(head)) and owned["split"].lower() in names.splits:
        return owned["split"].lower()
    level = loggers.PREFIX.match(head)
    # a logger whose name is that of a split says as much as a word of the record
    for token in _TOKEN.finditer(head, level.end() if level and level["logger"] not in names.splits else 0):
        word = (token["word"] or token["inside"].partition("@")[0]).strip().rstrip(".").lower()  # `Evaluating...`
        word = word.removesuffix("_set").removesuffix(" set")
        if word in names.splits and word not in names.plain:
            found = word
            if not word.endswith("ing") and not loggers.IN_BRACKETS.match(head, token.start()):
                return found
            continue  # `Evaluating train: ` is of the training, what a logger of that name prints may be of any
        # a logger of the evaluation's module, `project.eval:51`; that of the training prints everything
        package, dot, module = word.partition(":")[0].rpartition(".")
        if package and dot and found is None and names.splits.get(module) == "eval":
            found = module
        if token["word"] and not (word in names.plain or "." in word or ":" in word or word == _PROGRAM):
            break
    return found
