"""The page of a profile in a real browser: what it draws, what a reader can do with it, and that nothing goes wrong."""
from __future__ import annotations

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from headless_browser import NoBrowser, open_browser


@triton.jit
def scale(x, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, 2 * tl.load(x + i, mask=i < n), mask=i < n)


@triton.jit
def product(a, b, c, N: tl.constexpr):
    i, j = tl.arange(0, N)[:, None], tl.arange(0, N)[None, :]
    tl.store(c + i * N + j, tl.dot(tl.load(a + i * N + j), tl.load(b + i * N + j)))


@triton.jit
def copy(x, out, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i, mask=i < n), mask=i < n)  # "</script><b>": text that is no markup


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    try:
        driver = open_browser(tmp_path_factory.mktemp("browser"))
    except NoBrowser as why:
        pytest.skip(str(why))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report():
    x, out = np.ones(8000, np.float32), np.zeros(8000, np.float32)
    a, b, c = (np.ones((64, 64), np.float32) for _ in range(3))
    with metal.profile() as report:
        for device in ("cpu", "metal"):
            for block in (128, 256):
                for _ in range(4):
                    scale[(triton.cdiv(8000, block),)](x, out, 8000, BLOCK=block, device=device)
            product[(1,)](a, b, c, 64, device=device)
            copy[(1,)](x, out, 100, BLOCK=128, device=device)
    return report


@pytest.fixture
def page(driver, report, tmp_path):
    """The page, freshly opened; no error must have been logged when the test is over."""
    report.to_html(tmp_path / "profile.html")
    driver.get_log("browser")
    driver.get((tmp_path / "profile.html").as_uri())
    yield driver
    # That the test itself reads pixels back is remarked under "rendering".
    assert [entry for entry in driver.get_log("browser") if entry["source"] != "rendering"] == []


def find(page, selector: str):
    return page.find_elements("css selector", selector)


def one(page, selector: str):
    (element,) = find(page, selector)
    return element


def first_cells(page) -> list[str]:
    return [cell.text for cell in find(page, "#kernels tbody tr td:first-child")]


def test_everything_is_there(page, report):
    assert one(page, "#summary").text.startswith("20 launches of 8 kernels ran ")
    assert "its times and rates say nothing about a GPU" in one(page, "#notes li.warning").text
    assert len(find(page, "#kernels tbody tr")) == len(report.kernels) == 8
    assert [figure.get_attribute("data-device") for figure in find(page, "#roofline figure")] == ["cpu", "metal"]
    assert len(find(page, "figure[data-device=metal] svg path.roof")) == 1
    assert len(find(page, "figure[data-device=metal] svg circle.open")) == 3  # copy does no operations
    assert "Not in the chart: copy" in one(page, "figure[data-device=metal] figcaption").text
    label = one(page, "#timeline canvas").get_attribute("aria-label")
    assert label.startswith("20 launches within ") and "cpu, MainThread; metal, MainThread" in label


def test_the_timeline_draws_launches(page):
    """Colours of kernels are on the canvas, and other ones after zooming in."""
    colours = """const canvas = document.querySelector("#timeline canvas");
                 const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
                 return new Set(pixels).size + ":" + pixels.reduce((sum, pixel, i) => (sum * 31 + pixel) % 1000003, 7);"""
    before = page.execute_script(colours)
    assert int(before.split(":")[0]) > 6
    shown = one(page, "#timeline .tools span[aria-live]").text
    find(page, "#timeline .tools button")[0].click()
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert page.execute_script(colours) != before and one(page, "#timeline .tools span[aria-live]").text != shown
    find(page, "#timeline .tools button")[2].click()
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert one(page, "#timeline .tools span[aria-live]").text == shown


def test_the_table_sorts(page, report):
    by_total = first_cells(page)
    assert [text.split("\n")[0] for text in by_total] == [row.name for row in report.kernels]
    headers = find(page, "#kernels th button")
    assert find(page, "#kernels th[aria-sort=descending]")[0].text.startswith("total")
    headers[0].click()
    assert first_cells(page) == sorted(by_total, key=str.lower)
    headers[0].click()
    assert first_cells(page) == sorted(by_total, key=str.lower, reverse=True)
    headers[2].click()
    assert [row.text for row in find(page, "#kernels tbody tr td:nth-child(3)")] == ["4"] * 4 + ["1"] * 4
    headers[12].click()  # of roof: unknown on metal, hence last
    assert [row.text for row in find(page, "#kernels tbody tr td:nth-child(2)")][-4:] == ["metal"] * 4


@pytest.mark.parametrize("device, tabs", [("cpu", ["TTIR", "assembly", "LLVM IR"]), ("metal", ["Metal", "TTM: with layouts", "TTIR"])])
def test_choosing_a_kernel_shows_its_source_and_code(page, report, device, tabs):
    index = next(i for i, row in enumerate(report.kernels) if (row.name, row.device) == ("product", device))
    one(page, f"#kernels tr[data-kernel='{index}'] button").click()
    assert one(page, "#code-title").text == "Source and code of product"
    assert one(page, f"#kernels tr[data-kernel='{index}']").get_attribute("aria-selected") == "true"
    assert "tl.dot(tl.load(a" in one(page, ".listing.python").text
    assert [tab.text for tab in find(page, "#code .tab")] == tabs
    shown = set()
    for tab in range(3):
        find(page, "#code .tab")[tab].click()
        shown.add(one(page, ".listing.stage").get_attribute("textContent"))  # quicker than .text
        assert find(page, "#code .tab")[tab].get_attribute("aria-selected") == "true"
    assert len(shown) == 3
    assert any(("simdgroup_matrix" if device == "metal" else "tt.dot") in text for text in shown)


@pytest.mark.parametrize("device", ["cpu", "metal"])
def test_lines_that_belong_together_are_marked(page, report, device):
    index = next(i for i, row in enumerate(report.kernels) if (row.name, row.device) == ("copy", device))
    one(page, f"#kernels tr[data-kernel='{index}'] button").click()
    line = next(row for row in find(page, ".listing.python .row.linked") if "tl.store" in row.text)
    assert "</script><b>" in line.text
    line.click()
    marked = [row.text for row in find(page, ".listing.stage .row.hit")]
    assert any(("tt.store" if device == "cpu" else "params.out") in text for text in marked)
    assert [row.text for row in find(page, ".listing.python .row.hit")] == [line.text]
    find(page, ".listing.stage .row.linked")[0].click()
    assert find(page, ".listing.python .row.hit")


def test_the_keyboard_chooses_a_point(page, report):
    point = find(page, "figure[data-device=metal] svg circle")[0]
    assert "FLOP/B, bound by" in point.get_attribute("aria-label")
    name = point.get_attribute("aria-label").split(":")[0]
    page.execute_script("arguments[0].focus()", point)
    page.switch_to.active_element.send_keys("\ue007")
    assert one(page, "#code-title").text == f"Source and code of {name}"
    assert "chosen" in point.get_attribute("class")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_both_papers(page, scheme):
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    contrast = """const luminance = (text) => text.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
                    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
                    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
                  const ground = (node) => { const colour = getComputedStyle(node).backgroundColor;
                    return colour === "rgba(0, 0, 0, 0)" ? ground(node.parentElement) : colour; };
                  return [...document.querySelectorAll(arguments[0])].map((node) => {
                    const [a, b] = [luminance(getComputedStyle(node).color), luminance(ground(node))];
                    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });"""
    for selector in ("h1", "#summary", "#notes li", "#kernels th", "#kernels td", "#kernels small", "figcaption", ".tools span", ".row b",
                     ".row code", ".row .k", ".row .n", ".bar-of-pane", ".tab"):  # fmt: skip
        found = page.execute_script(contrast, selector)
        assert found and min(found) >= 4.5, (selector, min(found))


def test_a_profile_of_nothing_opens(driver, tmp_path):
    with metal.profile() as report:
        pass
    report.to_html(tmp_path / "empty.html")
    driver.get_log("browser")
    driver.get((tmp_path / "empty.html").as_uri())
    assert "Nothing was launched." in driver.find_element("css selector", "#timeline").text
    assert driver.get_log("browser") == []


def test_a_narrow_window_does_not_scroll_sideways(page):
    page.set_window_size(520, 900)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        page.set_window_size(1400, 1600)
