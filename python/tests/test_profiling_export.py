"""A profile as JSON, as a trace, and the data of its page."""
from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import triton_metal as triton
import triton_metal.backends.metal as metal
import triton_metal.language as tl
from triton_metal.profiling import html
from triton_metal.profiling.sources import Budget, Listing, read_module, sources


@triton.jit
def shifted(v, by):
    return tl.exp(v - by)


@triton.jit
def softmax(x, out, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    v = tl.load(x + tl.program_id(0) * n + i, mask=i < n, other=-float("inf"))
    e = shifted(v, tl.max(v))
    tl.store(out + tl.program_id(0) * n + i, e / tl.sum(e), mask=i < n)


@triton.jit
def scale(x, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, 2 * tl.load(x + i, mask=i < n), mask=i < n)


@pytest.fixture(scope="module")
def report():
    x = np.ones((8, 100), np.float32)
    out = np.zeros_like(x)
    with metal.profile() as report:
        for device in ("cpu", "metal"):
            for _ in range(3):
                softmax[(8,)](x, out, 100, BLOCK=128, device=device)
            scale[(7,)](x, out, 800, BLOCK=128, device=device)
            scale[(2,)](x, out, 192, BLOCK=128, device=device)
    return report


def test_json(report, tmp_path):
    text = report.to_json(tmp_path / "profile.json")
    assert (tmp_path / "profile.json").read_text() == text == report.to_json()
    data = json.loads(text)
    assert (data["format"], data["version"], data["dropped"]) == ("triton-metal-profile", 1, 0)
    assert {(row["name"], row["device"]): row["launches"] for row in data["kernels"]} == {
        ("softmax", "cpu"): 3, ("softmax", "metal"): 3, ("scale", "cpu"): 2, ("scale", "metal"): 2}  # fmt: skip
    assert [device["name"] for device in data["devices"]] == ["cpu", "metal"]
    chip = data["devices"][1]
    assert chip["chip"] == "apple-m1" and chip["bandwidth_gbs"] == 68 and not chip["roofs_are_measured"]
    launches = data["launches"]
    assert {len(values) for values in launches.values()} == {10}
    for row, kernel in zip(report.kernels, data["kernels"]):
        mine = [i for i in range(10) if data["shapes"][launches["shape"][i]]["kernel"] == data["kernels"].index(kernel)]
        assert len(mine) == row.launches
        assert kernel["total_us"] == pytest.approx(sum(launches["duration_us"][i] for i in mine), abs=1e-2)
        assert kernel["bytes"] == sum(data["shapes"][launches["shape"][i]]["bytes"] for i in mine)
    assert {shape["bytes"] for shape in data["shapes"]} == {2 * 4 * 800, 2 * 4 * 192}
    assert all(row["is_exact"] for row in data["kernels"])
    assert data["threads"] == ["MainThread"]


def test_costs_and_rates(report):
    rows = {(row.name, row.device): row for row in report.kernels}
    scaled = rows["scale", "cpu"]
    assert scaled.bytes == 2 * 4 * (800 + 192) and scaled.operations == (7 + 2) * 128
    assert scaled.gbs == pytest.approx(scaled.bytes / scaled.total_us / 1e3)
    assert scaled.gflops == pytest.approx(scaled.operations / scaled.total_us / 1e3)
    assert scaled.intensity == pytest.approx(9 * 128 / 7936)
    assert rows["scale", "metal"].bound == "memory" and rows["scale", "metal"].bytes == scaled.bytes


def test_inexact_costs_say_why():
    @triton.jit
    def masked_by_data(x, out):
        i = tl.arange(0, 16)
        tl.store(out + i, 1.0, mask=tl.load(x + i) > 0)

    with metal.profile() as report:
        masked_by_data[(1,)](np.ones(16, np.float32), np.zeros(16, np.float32), device="cpu")
    (row,) = report.kernels
    assert not row.is_exact
    text = str(report)
    assert "~128 B" in text and "~ is not exact: masked_by_data: " in text and "test_profiling_export.py" in text


def test_counting_launches_have_no_costs():
    x, out = np.ones(800, np.float32), np.zeros(800, np.float32)
    with metal.profile() as report:
        scale[(7,)](x, out, 800, BLOCK=128, device="metal", counting=2)
    assert report.kernels[0].bytes is None and "only a sample of their programs ran" in str(report)


def check_trace(data: dict) -> None:
    """The parts of the Trace Event Format that a viewer needs, of the kinds of events that are written."""
    assert set(data) == {"traceEvents", "displayTimeUnit", "otherData"} and data["displayTimeUnit"] in ("ms", "ns")
    named, ends = set(), {}
    for event in data["traceEvents"]:
        assert event["ph"] in "XM" and isinstance(event["name"], str) and isinstance(event["args"], dict)
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int)
        if event["ph"] == "M":
            assert event["name"] in ("process_name", "thread_name") and set(event["args"]) == {"name"}
            named.add((event["pid"], event["tid"] if event["name"] == "thread_name" else None))
            continue
        lane = event["pid"], event["tid"]
        assert lane in named and (event["pid"], None) in named
        assert event["ts"] >= ends.get(lane, 0) and event["dur"] >= 0  # complete events of a lane must not overlap
        ends[lane] = event["ts"] + event["dur"]


def test_chrome_trace(report, tmp_path):
    text = report.to_chrome_trace(tmp_path / "trace.json")
    assert (tmp_path / "trace.json").read_text() == text
    data = json.loads(text)
    check_trace(data)
    events = [event for event in data["traceEvents"] if event["ph"] == "X"]
    assert [event["name"] for event in events] == (["softmax"] * 3 + ["scale"] * 2) * 2
    assert events[3]["args"]["grid"] == [7, 1, 1] and events[3]["args"]["bytes"] == 6400
    assert events[3]["args"]["GB/s"] == pytest.approx(6.4 / events[3]["dur"], rel=1e-2)
    processes = [event["args"]["name"] for event in data["traceEvents"] if event["name"] == "process_name"]
    assert processes == ["cpu", "metal (software Metal: not a GPU's times)"]


def test_code_of_the_page_refers_to_python_lines(report):
    for row in report.kernels:
        if row.name != "softmax":
            continue
        code, used = sources(row.compiled, 10**6)
        stages = {stage["name"]: stage for stage in code["stages"]}
        assert list(stages) == (["ttir", "asm", "llir"] if row.device == "cpu" else ["msl", "ttm", "ttir"]) and not code["left_out"]
        assert code["pieces"][0]["lines"][0] == "@triton.jit" and "def softmax" in code["pieces"][0]["lines"][1]
        for name, op, line in (("ttir", "tt.load", "tl.load"), ("ttir", "tt.store", "tl.store"), ("ttir", "math.exp", "tl.exp"),
                               ("ttir", "arith.maxnumf", "tl.max"), ("msl", "params.out", "tl.store")):  # fmt: skip
            if name not in stages:
                continue
            stage = stages[name]
            found = [i for i, text in enumerate(stage["lines"]) if op in text and stage["at"][i] >= 0]
            assert found, (name, op)
            piece, at = code["references"][stage["at"][found[0]]]
            assert line in code["pieces"][piece]["lines"][at], (name, op)
        assert all("loc(" not in text for text in stages["ttir"]["lines"])
        assert used > sum(len(text) for stage in code["stages"] for text in stage["lines"])


def test_stages_beyond_the_budget_are_named(report):
    row = next(row for row in report.kernels if row.device == "cpu")
    code, used = sources(row.compiled, 0)
    assert code["stages"] == code["pieces"] == [] and code["left_out"] == ["ttir", "asm", "llir", "python"] and used == 0
    whole, all_of_it = sources(row.compiled, 10**6)
    for budget in range(100, all_of_it, all_of_it // 12):
        code, used = sources(row.compiled, budget)
        texts = [part["lines"] for part in (*code["pieces"], *code["stages"])]
        assert sum(map(len, sum(texts, []))) <= used <= budget and code["left_out"]
    assert not whole["left_out"]


def test_locations_of_modules_are_read():
    lines, places = read_module('''#loc1 = loc("k.py":3:5)
module {
  %0 = tt.load %x {a = "loc(#loc9)"} : i32 loc(#loc4)
  %1 = "tt.reduce"(%0) ({
  ^bb0(%2: f32 loc(callsite(#loc1 at #loc2)), %3: f32 loc("n"(#loc1))):
  }) loc(#loc3)
  %4 = tt.call loc(unknown)
  %5 = tt.call loc(#loc6)
} loc(#loc)
#loc = loc(unknown)
#loc2 = loc("k.py":7:1)
#loc3 = loc("x"(#loc2))
#loc4 = loc(callsite(#loc5 at #loc3))
#loc5 = loc("LIBRARY/language/standard.py":1:1)
#loc6 = loc("LIBRARY_kernels/user.py":5:1)
'''.replace("LIBRARY", triton.__path__[0]))
    assert lines == ["module {", '  %0 = tt.load %x {a = "loc(#loc9)"} : i32', '  %1 = "tt.reduce"(%0) ({', "  ^bb0(%2: f32, %3: f32):",
                     "  })", "  %4 = tt.call", "  %5 = tt.call", "}"]  # fmt: skip
    beside = f"{triton.__path__[0]}_kernels/user.py"  # no file of this package
    assert places == [None, ("k.py", 7), None, None, ("k.py", 7), None, (beside, 5), None]


def test_functions_whose_file_is_not_at_hand(report):
    listing = Listing(report.kernels[0].compiled, Budget(10**6))
    assert listing.find(("absent.py", 3)) is None
    assert listing.find((__file__, 10**6)) is None


def test_the_page_needs_nothing_else(report, tmp_path):
    report.to_html(tmp_path / "profile.html")
    page = (tmp_path / "profile.html").read_text()
    assert page.startswith("<!doctype html>") and page.rstrip().endswith("</html>")
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "") and "https://" not in page
    assert "default-src 'none'" in page and " src=" not in page and "@import" not in page
    data = page.split('type="application/json">')[1].split("</script>")[0]
    assert "<" not in data  # no text of a kernel ends the script
    assert json.loads(data)["launch_count"] == 10


def test_a_long_profile_keeps_its_page_small(report, monkeypatch):
    monkeypatch.setattr(html, "MOST_LAUNCHES", 4)
    data = html.page_data(report)
    assert len(data["launches"]["begin_us"]) == 4 and data["launch_count"] == 10 and len(report.launches) == 10


@pytest.mark.parametrize("launches, shapes, shown", [(100, 100, 60), (13, 100, 13), (100, 11, 11), (100, 7, 7)])
def test_the_page_holds_the_shapes_of_the_launches_that_it_shows(launches, shapes, shown, monkeypatch):
    x, out = np.zeros(256, np.float32), np.zeros(256, np.float32)
    with metal.profile() as report:
        for n in (*range(17, 67, 2), *range(67, 17, -2), *range(101, 121, 2)):
            scale[(2,)](x, out, n, BLOCK=128, device="cpu")
    monkeypatch.setattr(html, "MOST_LAUNCHES", launches)
    monkeypatch.setattr(html, "MOST_SHAPES", shapes)
    data = html.page_data(report)
    assert [len(values) for values in data["launches"].values()] == [shown] * 4 and data["launch_count"] == 60
    assert [data["shapes"][i]["bytes"] for i in data["launches"]["shape"]] == [launch.bytes for launch in report.launches[:shown]]
    assert sorted(set(data["launches"]["shape"])) == list(range(len(data["shapes"])))


def test_kernels_of_text_have_no_python(tmp_path):
    x, out = np.ones(128, np.float32), np.zeros(128, np.float32)
    compiled = scale[(1,)](x, out, 128, BLOCK=128, device="cpu")
    (tmp_path / "scale.ttir").write_text(compiled.asm["ttir"])
    from_text = triton.compile(str(tmp_path / "scale.ttir"), target="cpu")
    with metal.profile() as report:
        from_text[(1,)](x, out, 128)
    code = html.page_data(report)["kernels"][0]["code"]
    assert code["stages"][0]["name"] == "ttir"
    assert [piece["file"] for piece in code["pieces"]] == [sys.modules[__name__].__file__]  # found by the text's locations
