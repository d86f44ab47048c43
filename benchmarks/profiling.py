"""What profiling costs a launch, and how large the page of 10,000 launches is and how fast a browser opens it."""
from __future__ import annotations

import pathlib
import sys
import tempfile
import time

import numpy as np

import rounds as measuring
import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from rounds import Row, Times, compare, interleave

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "python" / "tests"))
LAUNCHES, PAGE_LAUNCHES = 2000, 10_000


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    offsets = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    tl.store(out_ptr + offsets, tl.load(x_ptr + offsets, mask=mask) + tl.load(y_ptr + offsets, mask=mask), mask=mask)


def launch(count: int) -> None:
    x, y, out = (np.ones(16, np.float32) for _ in range(3))
    for _ in range(count):
        add_kernel[(1,)](x, y, out, 16, BLOCK=16, device="cpu")


def overhead(rounds: int) -> list[Row]:
    """Of launches that differ in nothing, and of launches each of which is another: no shape is found again."""
    x, y, out = (np.ones(16, np.float32) for _ in range(3))

    def profiled():
        with metal.profile():
            launch(LAUNCHES)

    def differing():
        for i in range(LAUNCHES):
            add_kernel[(1,)](x, y, out, 17 + 2 * i, BLOCK=16, device="cpu")

    def profiled_differing():
        with metal.profile():
            differing()
    rows = []
    x, y, out = (np.ones(17 + 2 * LAUNCHES, np.float32) for _ in range(3))
    for name, off, on in (("alike", lambda: launch(LAUNCHES), profiled), ("each another", differing, profiled_differing)):
        times = interleave({"off": off, "on": on}, rounds, warm_up=2)
        each = {key: Times([seconds / LAUNCHES for seconds in value.seconds]) for key, value in times.items()}
        rows.append(compare("profiling", f"launch, profiled, {name}", each["on"], "not profiled", each["off"], unit="us"))
        more = Times([on - off for on, off in zip(each["on"].seconds, each["off"].seconds)])
        rows.append(compare("profiling", f"profiling a launch, {name}", more, most=1.0, unit="us"))
    return rows


def opened(driver, page: pathlib.Path) -> float:
    """Seconds from the start of the navigation until the page is drawn: its script draws before the load event."""
    driver.get(page.as_uri())
    return driver.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd") / 1e3


def pages(rounds: int) -> list[Row]:
    from headless_browser import NoBrowser, open_browser

    x, y, out = (np.ones(4096, np.float32) for _ in range(3))
    with metal.profile() as report:
        for block in (64, 128, 256, 512):  # several kernels, on both devices
            add_kernel[(4096 // block,)](x, y, out, 4096, BLOCK=block, device="metal")
        for i in range(PAGE_LAUNCHES - 4):
            block = (64, 128, 256, 512)[i % 4]
            add_kernel[(4096 // block,)](x, y, out, 4096, BLOCK=block, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder, "profile.html")
        began = measuring.clock()
        report.to_html(page)
        written = Times([measuring.clock() - began])
        size = page.stat().st_size / 1e6
        rows = [compare("profiling", "page of 10,000 launches, written", written),
                Row("profiling", "page of 10,000 launches", size, size, size, "MB", most=5.0)]
        try:
            driver = open_browser(pathlib.Path(folder, "browser"))
        except NoBrowser as why:
            print(f"# {why}: the page is not opened", flush=True)
            return rows
        try:
            opened(driver, page)
            times = []
            for _ in range(rounds):
                time.sleep(measuring.PAUSE)
                times.append(opened(driver, page))
        finally:
            driver.quit()
        rows.append(compare("profiling", "page of 10,000 launches, opened", Times(times), most=2000.0))
        return rows


def measure(rounds: int) -> list[Row]:
    return overhead(rounds) + pages(rounds)
