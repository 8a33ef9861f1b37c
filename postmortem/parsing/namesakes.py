"""Values of one record that its aliases would make one metric: `loss=0.5, avg_loss=0.75` are two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from postmortem.parsing.names import normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from postmortem.parsing.names import Names
    from postmortem.parsing.template import Row


def apart(rows: Sequence[Row], told: Collection[int], names: Names) -> tuple[Row, ...]:
    """The rows of a record. Of several names for one metric the plainest has it, the others stay themselves.

    `told` are the rows whose name their dialect tells: it knows what it makes one. So do some names for themselves.
    """
    if len(rows) < len(("loss", "avg_loss")):
        return tuple(rows)
    aliased = [i for i, row in enumerate(rows) if row.frame == "metrics" and i not in told]
    aliased = [i for i in aliased if dict(rows[i].constants)["name"] not in names.together]
    spelled: dict[Hashable, list[str]] = {}
    for i in aliased:
        spelled.setdefault(_metric(rows[i]), []).append(_own(rows[i], names))
    found = list(rows)
    for i in aliased:
        name, own = str(dict(rows[i].constants)["name"]), spelled[_metric(rows[i])]
        if _own(rows[i], names) != (name if name in own else own[0]):
            found[i] = _renamed(rows[i], names)
    return tuple(found)


def _metric(row: Row) -> tuple[object, ...]:
    constants = dict(row.constants)
    return constants["name"], constants["split"], constants["meaning"], row.place


def _own(row: Row, names: Names) -> str:
    """The name as the log has it, without its split."""
    key = normalise(str(dict(row.constants)["source_name"]))
    head, _, tail = key.partition("_")
    return tail if tail and head in names.splits else key


def _renamed(row: Row, names: Names) -> Row:
    own = _own(row, names)
    return row._replace(constants=tuple((key, own if key == "name" else value) for key, value in row.constants))
