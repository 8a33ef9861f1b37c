"""Builds the optional kernel of the log reader. Without a C compiler the package is complete, and reads more slowly."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = Path("postmortem/parsing/native")
LIBRARY = SOURCES.with_name("_kernel.so")


class Kernel(BuildHookInterface[Any]):
    """Compiles the files of one folder into one library that ctypes loads."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the library into the wheel, or beside its source for an editable install."""
        if self.target_name != "wheel":
            return
        if not compiled(Path(self.root)):
            self.app.display_warning(
                "no C compiler here: postmortem is built without its kernel, and reads more slowly"
            )
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        if version != "editable":
            build_data["force_include"][str(Path(self.root) / LIBRARY)] = str(LIBRARY)


def compiled(root: Path) -> bool:
    """Compile the kernel; False where there is no compiler or it fails."""
    (root / LIBRARY).unlink(missing_ok=True)
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None or sys.platform == "win32":
        return False
    sources = map(str, sorted((root / SOURCES).glob("*.c")))
    command = [compiler, "-O3", "-shared", "-fPIC", *sources, "-o", str(root / LIBRARY), "-lm"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603 - a compiler on a file of ours
