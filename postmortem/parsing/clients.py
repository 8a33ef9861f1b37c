"""What one of several clients prints: each trains on data of its own, so that their values are no one course."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from postmortem.parsing.reading import Pair, Where

#: Before all else in a record: `Client 3 - loss: 0.5`, `[Client client5] accuracy: 0.75`.
_CLIENT: Final = re.compile(
    r"\s*\[?(?P<client>[Cc]lient[ _#:]{0,2}(?P<number>[A-Za-z_]{0,12}[0-9]{1,6}))\]?(?=\s*[-:|,]|\s+[A-Za-z])"
)


def of_client(text: str, pairs: list[Pair], looked_at: list[Where]) -> list[Pair]:
    """`pairs`, those of a record that begins with a client as of that client."""
    client = _CLIENT.match(text)
    if client is None:
        return pairs
    looked_at.append(client.span("number"))
    return [pair if pair.scope else pair._replace(scope=client["client"]) for pair in pairs]
