"""Names for numpy columns. Whole numbers come in several widths, so that only what a column holds is said."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Whole numbers: rows, records, places, bytes.
Ints = NDArray[Any]
#: Numbers that a log prints.
Values = NDArray[Any]
Flags = NDArray[np.bool_]
#: Bytes; of a text column, the texts one behind the other, each with a line feed behind it.
Bytes = NDArray[np.uint8]
