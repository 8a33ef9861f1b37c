"""Run every target for its share of some seconds: python -m fuzz SECONDS.

What breaks a reader is kept in build/fuzz/; `python -m fuzz.TARGET FILE` reads it again.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from fuzz.seeds import SEEDS, write

FOUND: Final = Path("build/fuzz")
#: An input that takes longer than this, in seconds, is a failure as a traceback is one.
SLOWEST: Final = 20
LARGEST: Final = 4096  # bytes of an input


def main() -> int:
    """0 where all targets came through, else 1."""
    seconds = max(1, int(sys.argv[1]) // len(SEEDS))
    FOUND.mkdir(parents=True, exist_ok=True)
    failed = []
    for target in SEEDS:
        print(f"{target}: {seconds} s", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            write(target, Path(folder))
            command = [sys.executable, "-m", f"fuzz.{target}", folder, f"-artifact_prefix={FOUND}/{target}-"]
            limits = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", f"-timeout={SLOWEST}", "-rss_limit_mb=4096"]
            if subprocess.run([*command, *limits, "-print_final_stats=1"], check=False).returncode:
                failed.append(target)
    print(f"broken: {', '.join(failed)}; the bytes are in {FOUND}/" if failed else "nothing broke")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
