"""What the documentation shows runs as it stands, and what it links to exists."""
from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

import triton_metal

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = pathlib.Path(triton_metal.__file__).parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
pytestmark = pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="no documentation beside the tests")


def blocks(page: pathlib.Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def run(tmp_path, *command: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "TRITON_METAL_CHECKED": "0"}
    return subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("page", ["README.md", "docs/guide/getting-started.md", "docs/reference/autotuning.md",
                                  "docs/reference/memory-access.md", "docs/reference/memory-layouts.md", "docs/reference/cost.md",
                                  "docs/reference/profiling.md", "docs/reference/chips.md", "docs/reference/explain.md",
                                  "docs/reference/shared-memory.md"])
def test_python_blocks_run_one_after_another(page, tmp_path):
    source = "\n".join(blocks(ROOT / page, "python"))
    assert source
    (tmp_path / "kernel.py").write_text(source)
    done = run(tmp_path, "kernel.py")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_message_in_the_readme_is_the_real_one(tmp_path):
    (tmp_path / "kernel.py").write_text("\n".join(blocks(ROOT / "README.md", "python")))
    (shown,) = blocks(ROOT / "README.md", "text")
    printed = run(tmp_path, "kernel.py").stdout.replace(f"{tmp_path}/", "")
    assert " ".join(shown.split()) in " ".join(printed.split())


def commands() -> list[str]:
    lines = [line.partition("#")[0].strip() for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    return sorted({line for line in lines if line})


#: Examples alone, on metal: test_demo.py runs and checks each of them in this way.
RUN_ELSEWHERE = re.compile(r"\./dev run python examples/\w+\.py --device metal")


@pytest.mark.parametrize("line", [line for line in commands() if (line.startswith("triton-metal ") or " examples/" in line)
                                  and not RUN_ELSEWHERE.fullmatch(line)])
def test_command_lines_of_the_package_work(line, tmp_path):
    words = shlex.split(line)
    words = words[words.index("python") + 1:] if words[0] == "./dev" else ["-m", "triton_metal", *words[1:]]
    done = run(tmp_path, *(str(ROOT / word) if word.startswith("examples/") else word for word in words))
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("line", [line for line in commands() if "./dev" in line])
def test_dev_has_the_commands_that_are_named(line):
    words = shlex.split(line)
    words = words[words.index("./dev") + 1:]
    listed = subprocess.run([ROOT / "dev"], check=True, capture_output=True, text=True).stdout
    assert re.search(rf"^  {words[0]}\b", listed, re.MULTILINE)
    for word in words[1:]:
        if re.fullmatch(r"[\w./-]+\.py", word):
            assert (ROOT / word).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```|`[^`\n]*`(?!\])", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert not [target for target in targets if target and not (page.parent / target).exists()]


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.is_relative_to(ROOT / "docs")} - {"README.md"}
    assert pages and not [page for page in pages if f"({page})" not in index]
