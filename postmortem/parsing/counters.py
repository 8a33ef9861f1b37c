"""The steps, batches and epochs that a record counts, in whatever words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from postmortem.parsing import loggers
from postmortem.parsing.dumps import options_in
from postmortem.parsing.names import normalise
from postmortem.parsing.preface import stated_in
from postmortem.parsing.reading import LONGEST, WINDOW, Reading

if TYPE_CHECKING:
    from postmortem.parsing.names import Names
    from postmortem.parsing.reading import Pair

_COUNTER: Final = re.compile(
    r"(?:(?<![\w./-])|(?<=---))(?P<word>(?:[Gg]lobal-)?[^\W\d_][^\W\d]{0,20}\.?)(?i:\s(?:number|num|no|nr)\.?(?=[\s:=#]))?"
    r"(?:\s?[:=#\uff1a]\s?|\s|_|(?=\[)|(?<=[A-Za-z]\.)|(?<=\[[Ee]poch))\[?\s*"
    r"(?P<at>(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}(?![0-9])|[0-9]{1,12})(?P<part>\.[0-9]{1,9}(?=\s?/\s?[0-9]))?)(?:\s*(?:/|of)\s*[0-9]+)?"
    r"(?![0-9A-Za-z_.%]\w|,[0-9]|[0-9A-Za-z_%]|/[A-Za-z]|-[0-9])"
)
#: Counters that are names of amounts too, beside which something must be measured: `steps: 300, loss: 0.1`.
PLURAL: Final = frozenset({"steps", "iters", "iterations", "updates", "niter"})
_MEASURED: Final = re.compile(r"(?i)loss|acc|reward|ppl|perplexity|error|\b[dg]_\w+:")
#: `Iter. 5`, but not the end of a sentence.
_LONGEST_ABBREVIATION: Final = 4
#: Words too common in prose to count without a sign behind them.
_PROSE: Final = frozenset({"it", "up", "no", "gen"})
_SIGN: Final = re.compile(r"\.?\s?[:=#\[.]")
#: Behind the number, where the word is the first of its record: `it 5: loss 2.3`; anywhere, `[0/6] it 9 loss 1.5`.
_SIGN_BEHIND: Final = re.compile(r"\s?[:|,]\s")
_LOSS_BEHIND: Final = re.compile(r"\s{1,3}(?i:\w{0,20}loss)\b")
#: A number with the counter's word behind it, where it is no amount: `After 100 iterations`, `200/2983 batches`.
_REACHED: Final = re.compile(
    r"(?:\b(?:[Aa]fter|[Aa]t)\s+(?P<after>[0-9]{1,12})|(?P<part>[0-9]{1,12})\s?/\s*[0-9]{1,12})\s+"
    r"(?P<word>batch|iteration|step|update|iter|epoch)(?:s|es)?\b"
)
#: The n-th round, as Chinese and Japanese have it.
_NTH: Final = re.compile(
    r"\u7b2c\s*(?P<at>[0-9]{1,12})\s*(?:/\s*[0-9]+\s*)?(?:\u4e2a\s*)?(?P<word>\u8f6e|[Ee]poch|\u6b65|\u6b21)"
)
#: The same in English, before all else: `0-th batch, loss`, `5th epoch: acc`; with a sign behind it also without the
#: ending, `1 epoch, loss`, `0-epoch (99/44660): loss`.
_OF_ORDER: Final = "batch|epoch|iteration|iter|step|episode|round"
_ORDINAL: Final = re.compile(
    r"\s*(?:[Tt]he\s)?(?P<at>[0-9]{1,9})"
    rf"(?:-?(?:st|nd|rd|th)\s(?P<word>{_OF_ORDER})\b|[-\s](?P<told>{_OF_ORDER})(?=\s?[,:(|]))"
)
#: A counter alone in brackets, with a tab behind it, as boosters print it, or with the blanks that a page made of one;
#: R prints a text with its own number before. Or before what is evaluated, `[4] TRAIN  loss: 0.5`, also behind an
#: arrow, `===>>>[4] Train Loss`.
_BRACKET: Final = re.compile(
    r"\s*(?:\[1\] \"|[=>*#-]{2,30}\s?)?\[(?P<at>[0-9]{1,12})\]:?"
    r"(?:\t|\s{2,}|\s(?=(?i:train|val|test)\w*\s))(?=[A-Za-z])"
)
#: What a record of measurements counts before it says anything: `[1,  2000] loss`, `[1 : 20] loss`, `3/16, loss`,
#: `7 [D loss: 0.5]`, `[#7] loss`, `@7 loss`, `7| loss`, `7) loss`, `[eval @ 7,000] reward`, `3 120 Loss=0.5`,
#: `Train 7, loss`, behind labels `[train](3/16) loss`, and behind its epoch: `Epoch 3 [12/100]`.
_FIRST: Final = re.compile(
    r"\s*(?:\[[A-Za-z][A-Za-z0-9 _-]{0,20}\]\s?){0,3}(?:(?:\[|(?=[0-9]+\s+[0-9]+\s+\w*(?i:loss)\s?[=:]))"
    r"(?P<epoch>[0-9]{1,6})(?:,\s*|\s+:\s+|\s+)(?P<batch>[0-9]{1,12})(?:\]|\s)"
    r"|(?:[\[(]\s*)?(?P<part>[0-9]{1,12})\s*/\s*[0-9]{1,12}\s*(?:[\])]|[,:|]|\s(?:-|::?|>+)\s|\s(?=[A-Za-z]))"
    r"|(?P<barred>[0-9]{1,12})\s?[|)]\s+(?=[A-Za-z])"
    r"|(?P<alone>[0-9]{1,12})\s+(?=\[[A-Za-z]|(?:(?i:train|training|val|valid|test)\s)?\w*(?i:loss)\s?[=:]|\|\s\w*(?i:loss)\b)"
    r"|(?:\[?[A-Za-z]{2,10}\s)?@\s?(?P<reached>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})(?=[\]:]?\s)"
    r"|\[?#(?P<numbered>[0-9]{1,12})(?:/[0-9]{1,12})?\]?\s|(?i:train|test|val|valid|eval)\s(?P<turn>[0-9]{1,12}),\s)"
)
#: A word, how far it is, and the share that this is: `Process 300/1200(25%) loss`.
_WITH_SHARE: Final = re.compile(
    r"(?:^|[\]:-]\s)(?P<word>[A-Z][a-z]{3,12})\s(?P<part>[0-9]{1,12})/[0-9]{1,12}\s?\([0-9.]{1,12}%\)\s(?=[A-Za-z])"
)
#: An epoch as a fraction before a step that has its word: `[0/100][step:2050]`.
_BEFORE_STEP: Final = re.compile(r"\s*\[(?P<epoch>[0-9]{1,6})/[0-9]{1,6}\]\s?\[(?i:step|iter)\s?:")
#: Epoch and batch as fractions: `Train: [0/300][10/1251]`, `Train: 1/3 ( 33%) [  49/323 ( 15%)]`.
_FRACTIONS: Final = re.compile(
    r"(?:\[\s*|(?<=:\s)\s*(?=[0-9/ ]{3,20}\(\s*[0-9]+%\)\s\[))(?P<epoch>[0-9]{1,6})\s*/\s*[0-9]+"
    r"\s*(?:\]|\(\s*[0-9]+%\))\s?\[\s*(?P<batch>[0-9]{1,12})\s*/\s*[0-9]+\s*(?:\]|\(\s*[0-9]+%\)\])"
)
#: The epoch alone in its brackets, before fractions of whatever is below it: `[ 60][  4/  4][ 8/12]  Loss_D: 7.5`.
_EPOCH_AND_PARTS: Final = re.compile(
    r"\s*\[\s*(?P<epoch>[0-9]{1,6})\]\s?\[\s*(?P<batch>[0-9]{1,12})\s*/\s*[0-9]+\]\s?\[\s*[0-9]+\s*/\s*[0-9]+\]"
)
#: The epoch's number right behind its word, before a fraction, wherever they stand: `Epoch8 [5600/7876]`.
_NUMBERED_EPOCH: Final = re.compile(r"\b[Ee]poch(?P<epoch>[0-9]{1,6})\s?\[(?P<batch>[0-9]{1,12})\s?/\s?[0-9]{1,12}\]")
#: Behind a bar in brackets or in the middle of it: `Training [>>      ] 20004/600000, loss`, `[==== 7/391 ===>]`.
_BEHIND_BAR: Final = re.compile(
    r"(?:\[[>=#*.-]{1,80}\s*\]\s?|\[[>=.]{1,80}\s)(?P<part>[0-9]{1,12})\s?/\s?[0-9]{1,12}(?=[,:|\s])"
)
#: What stands under a legend of brackets: `[epoch][step/steps/all]: [1][1608/5790/7398]`.
_UNDER_LEGEND: Final = re.compile(
    r"\[epoch\]\[[\w/]{1,40}\]:?\s*\[(?P<epoch>[0-9]{1,6})\]\[(?P<batch>[0-9]{1,12})(?:/[0-9]+){1,2}\]"
)
#: A counter's word and its number in one, `ep1 100/400`, `(E0 B16)`, `epoch20-batch-50`, `Ep3/It500`; glog begins its
#: errors with a letter and a date.
_GLUED: Final = re.compile(
    r"\s*(?:[A-Za-z][\w.]{0,20}\s-\s){0,3}[\[(]?(?:(?:[Ee]p(?:och)?|[Ee](?=[0-9]{1,3}(?![0-9])))(?P<epoch>[0-9]{1,6})"
    r"(?:[\s_.,/|-]{0,3}(?:[Bb](?:atch[_-]?)?(?P<batch>[0-9]{1,9})|(?:[Ii]t(?:er)?|[Ss]tep)[_-]?(?P<below>[0-9]{1,12})))?"
    r"|(?:[Ii]t(?:er)?|[Ss]tep)(?P<step>[0-9]{1,12}))(?=[\])/:|,\s])"
)
_DECIMAL: Final = re.compile(r"[\s=:][-+]?[0-9]*\.[0-9]")
_BEHIND_EPOCH: Final = re.compile(
    r"(?:/[0-9]+)?[\])]?(?:\[(?P<glued>[0-9]{1,12})\](?=[,:\s])|[\s,:|-]*[\[(]\s*(?P<part>[0-9]{1,12})\s*/\s*[0-9]{1,12}\s*(?:[\])]|(?<=\s)[A-Za-z(])"
    r"|[\s,:|-]+(?P<bare>[0-9]{1,12})\s*/\s*[0-9]{1,12}\s*(?:[,:;|]|\s(?=[A-Za-z])))"
)
_UNITS: Final = {
    "batch": "batch_of_epoch",
    "part": "unknown",
    "barred": "unknown",
    "alone": "unknown",
    "reached": "unknown",
    "numbered": "unknown",
    "turn": "unknown",
}
#: Before a counter's word these make it an amount: `total step: 500`, `every step 10`.
_AMOUNT: Final = re.compile(r"(?i)\b(?:total|max|num|number of|warmup|every|per|save|log)[\s_-]*$")
#: What was best, and when: `loss: 0.5 (best 0.25 @ epoch 3)`.
_OF_BEST: Final = re.compile(r"(?i)\([^()]{0,40}\bbest\b[^()]{0,40}\Z")
#: What is done with files at a step says nothing of the lines after it.
_NO_HEADING: Final = re.compile(
    r"(?i)\b(?:sav(?:e|ed|ing)|load(?:ed|ing)?|checkpoints?|restor(?:e|ed|ing)|resum(?:e|ed|ing))\b"
)

#: A counter that no digit in it can make another thing.
_WHOLE: Final = re.compile(r"[0-9]{1,12}")
#: A larger counter is none.
LARGEST: Final = 1e12


def counts(pair: Pair) -> bool:
    """True where a number may be a step."""
    return pair.value.is_integer() and abs(pair.value) < LARGEST


def any_counts(pair: Pair) -> bool:
    """True where any other digits in its place may be a step too."""
    return _WHOLE.fullmatch(pair.text) is not None


def begins(text: str) -> bool:
    """True where a record begins with what it counts, without a word for it."""
    return _FIRST.match(loggers.blanked(text)) is not None


def heads(text: str) -> bool:
    """True where a record that counts may be a heading, whose step holds for the lines after it."""
    return _NO_HEADING.search(text) is None


def read_counters(text: str, names: Names) -> Reading:
    """The steps, batches and epochs that a record counts. They place whatever else it holds."""
    reading = Reading()
    text = loggers.blanked(text)
    if options_in(text[:LONGEST], names) or stated_in(text, names):
        return reading
    for found in _COUNTER.finditer(text, 0, LONGEST):
        word = normalise(found["word"])
        kind = names.counters.get(word)
        if kind is None or (found["part"] if kind != "epoch" else "," in found["at"]) or not _counts(word, found, text):
            continue
        if kind == "epoch":
            if reading.epoch is None:
                reading.epoch, reading.epoch_at = _number(found), found.span("at")
        elif reading.step is None or (kind == "step" and reading.step_unit == "batch_of_epoch"):
            reading.step, reading.step_at = int(_number(found)), found.span("at")
            reading.step_unit = "batch_of_epoch" if kind == "batch" else "unknown"
    if None in {reading.step, reading.epoch}:
        _with_no_word_before(text, reading, names)
    if not text.isascii():
        _nth(text, reading)
    if reading.step is None and (alone := _BRACKET.match(text)):
        reading.step, reading.step_at, reading.step_unit = int(alone["at"]), alone.span("at"), "unknown"
    return reading


def _with_no_word_before(text: str, reading: Reading, names: Names) -> None:
    if nth := _ORDINAL.match(text):
        _reached(nth, names.counters[nth["word"] or nth["told"]], reading)
    if reading.step is None and (glued := _GLUED.match(text)) and _DECIMAL.search(text, glued.end(), LONGEST):
        _glued(glued, reading)
    if "/" in text and None in {reading.step, reading.epoch}:
        _epoch_and_batch(text, reading)


def _number(found: re.Match[str]) -> float:
    return float(found["at"].replace(",", ""))


def _epoch_and_batch(text: str, reading: Reading) -> None:
    """Both as fractions without a word before them."""
    both = _EPOCH_AND_PARTS.match(text) or _FRACTIONS.search(text, 0, WINDOW)
    both = both or _NUMBERED_EPOCH.search(text, 0, WINDOW)
    if both is None and "[epoch]" in text:
        both = _UNDER_LEGEND.search(text, 0, LONGEST)
    if both is None and reading.epoch is None and (before := _BEFORE_STEP.match(text)):
        reading.epoch, reading.epoch_at = float(before["epoch"]), before.span("epoch")
    if both is None:
        return
    reading.epoch, reading.epoch_at = float(both["epoch"]), both.span("epoch")
    if reading.step is None:
        reading.step, reading.step_at, reading.step_unit = int(both["batch"]), both.span("batch"), "batch_of_epoch"


def read_first(text: str, names: Names, reading: Reading) -> None:
    """The counter of a record of measurements that has no word before it: it stands first, or the word behind it."""
    text = loggers.blanked(text)
    if reached := _REACHED.search(text, 0, LONGEST):
        _reached(reached, names.counters[reached["word"]], reading)
    if reading.step is not None:
        return
    if (shared := _WITH_SHARE.search(text, 0, WINDOW)) and names.counter(shared["word"]) is None:
        reading.step, reading.step_at, reading.step_unit = int(shared["part"]), shared.span("part"), "unknown"
        return
    if reading.epoch_at is not None:
        found = _BEHIND_EPOCH.match(text, reading.epoch_at[1])
        kind = next((kind for kind in ("part", "bare") if found and found[kind]), "glued")
        unit = "unknown" if kind == "glued" else "batch_of_epoch"
    elif found := _FIRST.match(text) or _BEHIND_BAR.search(text, 0, 2 * WINDOW):
        kind, unit = next((kind, unit) for kind, unit in _UNITS.items() if found.groupdict().get(kind))
        if kind == "batch":
            reading.epoch, reading.epoch_at = float(found["epoch"]), found.span("epoch")
    if found:
        reading.step, reading.step_at, reading.step_unit = int(found[kind].replace(",", "")), found.span(kind), unit


def _glued(found: re.Match[str], reading: Reading) -> None:
    if found["epoch"] and reading.epoch is None:
        reading.epoch, reading.epoch_at = float(found["epoch"]), found.span("epoch")
    for group, unit in (("batch", "batch_of_epoch"), ("below", "unknown"), ("step", "unknown")):
        if found[group] and reading.step is None:
            reading.step, reading.step_at, reading.step_unit = int(found[group]), found.span(group), unit


def _reached(found: re.Match[str], kind: str, reading: Reading) -> None:
    group = next(group for group in ("after", "part", "at") if found.groupdict().get(group))
    if kind == "epoch":
        if reading.epoch is None:
            reading.epoch, reading.epoch_at = float(found[group]), found.span(group)
    elif reading.step is None:
        reading.step, reading.step_at = int(found[group]), found.span(group)
        reading.step_unit = "batch_of_epoch" if kind == "batch" else "unknown"


def _counts(word: str, found: re.Match[str], text: str) -> bool:
    """False where a counter's word is an amount's name, or no more than a word of prose."""
    begins = not text[: found.start()].strip()
    if len(word) == 1 and f"{found['word']}:" not in text and not (begins and text[found.end("word")] in "=["):
        return False
    if found["word"][-1] == "." and len(word) > _LONGEST_ABBREVIATION:
        return False
    if word in _PROSE and not (
        _SIGN.match(text, found.start() + len(word))
        or _LOSS_BEHIND.match(text, found.end())
        or "/" in text[found.end("at") : found.end()]
        or (begins and (found["at"][0] == "0" or _SIGN_BEHIND.match(text, found.end())))
    ):
        return False
    if word in PLURAL and not _MEASURED.search(text):
        return False
    if "(" in text and _OF_BEST.search(text, max(0, found.start() - WINDOW), found.start()):
        return False
    return not _AMOUNT.search(text, max(0, found.start() - WINDOW), found.start())


def _nth(text: str, reading: Reading) -> None:
    """Chinese and Japanese count with a word behind the number."""
    for found in _NTH.finditer(text, 0, LONGEST):
        if found["word"] in "\u6b65\u6b21":
            if reading.step is None:
                reading.step, reading.step_at, reading.step_unit = int(found["at"]), found.span("at"), "unknown"
        elif reading.epoch is None:
            reading.epoch, reading.epoch_at = float(found["at"]), found.span("at")
