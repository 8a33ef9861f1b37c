"""A device whose memory holds few scenarios at a time: the same verdicts, in parts, and said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from postmortem.replay import observing
from postmortem.replay.experiment import Claim, Experiment
from postmortem.replay.mechanism import Mechanism, Observed
from postmortem.replay.protocol import Fix, Lab

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from postmortem.replay.protocol import Fact, Value
    from postmortem.replay.stream import Stream

SHRINK = Fix(knob="factor", new=0.2)


class Numbers(Mechanism[torch.Tensor]):
    """Uniform numbers times a factor, of which those below 0.5 are kept, on a device that holds `room` of them."""

    name = "numbers"
    title = "uniform numbers"

    def __init__(self, room: int, message: str | None = None) -> None:
        self.room = room
        self.message = message

    def draw(self, facts: Mapping[str, Fact], lab: Lab, stream: Stream) -> torch.Tensor:  # noqa: ARG002
        """As many as there is room for."""
        if lab.draws > self.room:
            raise torch.OutOfMemoryError("full") if self.message is None else RuntimeError(self.message)
        return stream.uniform((lab.draws,)).double()

    def observe(self, scenario: torch.Tensor, knobs: Mapping[str, Value]) -> Observed:
        """The numbers themselves."""
        factor = knobs.get("factor", 1.0)
        assert isinstance(factor, float)
        return {"number": scenario * factor}

    def reproduces(self, observed: Observed, facts: Mapping[str, Fact]) -> Tensor:  # noqa: ARG002
        """Half of them."""
        return observed["number"] < 0.5


class Shrunk(Experiment):
    """One question with one claim."""

    name = "shrunk"
    question = "Is a fifth of it below a tenth?"
    cannot_show = "anything else"
    priors = ()
    claims = (
        Claim(
            id="tenth",
            text="below a tenth",
            knobs=frozenset({"factor"}),
            quantity="number",
            label="number",
            holds=lambda _before, after, _facts, _fix: after["number"] < 0.1,
        ),
    )

    def __init__(self, room: int) -> None:
        self.room = room

    def mechanisms(self, facts: Mapping[str, Fact]) -> Sequence[Numbers]:  # noqa: ARG002
        """The only one."""
        return (Numbers(self.room),)


@pytest.mark.parametrize(("room", "parts"), [(1000, 1), (999, 2), (300, 4), (125, 8)])
def test_what_does_not_fit_is_drawn_in_halves(room: int, parts: int) -> None:
    seen = observing.observe(Numbers(room), {}, [SHRINK], Lab(draws=1000, seed=3))
    assert seen.parts == parts
    assert seen.kept.shape == (1000,)
    assert torch.equal(seen.kept, seen.before["number"] < 0.5)
    assert torch.equal(seen.after[SHRINK]["number"], seen.before["number"] * 0.2)
    # no part is a copy of another one
    assert len(set(seen.before["number"].tolist())) == 1000


def test_the_same_seed_and_room_give_the_same_scenarios() -> None:
    first, again = (observing.observe(Numbers(300), {}, [], Lab(draws=1000, seed=3)) for _ in range(2))
    assert torch.equal(first.before["number"], again.before["number"])


def test_a_device_that_holds_too_few_for_any_verdict_is_named() -> None:
    with pytest.raises(RuntimeError, match="the memory of cpu does not hold 125 scenarios"):
        observing.observe(Numbers(100), {}, [], Lab(draws=1000))


def test_the_memory_of_the_machine_counts_too() -> None:
    full = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory"
    assert observing.observe(Numbers(500, full), {}, [], Lab(draws=1000)).parts == 2


def test_other_errors_are_no_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes differ"):
        observing.observe(Numbers(500, "shapes differ"), {}, [], Lab(draws=1000))


def test_an_experiment_says_in_how_many_parts() -> None:
    (whole,) = Shrunk(10_000).run("r", {}, [SHRINK], Lab(draws=1000)).replays
    (parted,) = Shrunk(300).run("r", {}, [SHRINK], Lab(draws=1000)).replays
    assert (whole.parts, parted.parts) == (1, 4)
    # a fifth of a number below 0.5 is below 0.1; of the numbers themselves one in five is
    assert whole.verdict == parted.verdict == "confirmed"
    assert whole.share == parted.share == 1.0
    assert parted.scenarios.drawn == 1000


def test_in_parts_a_fix_is_asked_even_where_each_part_alone_keeps_too_few() -> None:
    # about half of 125 are kept in each part: fewer than 64 in some, about 500 in all
    (replay,) = Shrunk(125).run("r", {}, [SHRINK], Lab(draws=1000)).replays
    assert replay.parts == 8
    assert replay.verdict == "confirmed"
