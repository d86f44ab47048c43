"""What the demo draws: a chart of speeds beside PyTorch and NumPy, and the photograph before and after the filters."""
from __future__ import annotations

import importlib.util
import pathlib

import numpy as np

PEERS = (("torch", "PyTorch", "#ee4c2c"), ("torch_fp32", "PyTorch's fp32, for half precision", "#f6a58f"), ("numpy", "NumPy", "#4d77cf"))
INK = "#333333"


def spell(ratio: float) -> str:
    """Two digits or so, never an exponent that a reader must count."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 2 else f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.1g}"


def draw(rows: list[dict], out: pathlib.Path) -> None:
    """Writes speed.png and photograph.png where there is something to draw and matplotlib to draw it."""
    if importlib.util.find_spec("matplotlib") is None:
        return
    import matplotlib
    matplotlib.use("Agg")
    chart([row for row in rows if row["case"].device == "cpu"], out / "speed.png")
    photographs([row["case"] for row in rows if row["case"].photograph is not None], out / "photograph.png")


def chart(rows: list[dict], file: pathlib.Path) -> None:
    """Bars from the peer's speed, to the right where we are faster and to the left where we are slower."""
    if not rows:
        return
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(figsize=(9, 0.5 * len(rows) + 1.6), layout="constrained")
    places = np.arange(len(rows))
    for peer, label, colour in PEERS:
        shown = []
        for place, row in zip(places, rows):
            own = [name for name, _, _ in PEERS if name in row["seconds"]]
            if peer in own:
                shown.append((place + (own.index(peer) - (len(own) - 1) / 2) * 0.8 / len(own), 0.76 / len(own),
                              row["seconds"][peer] / row["seconds"]["ours"]))
        if not shown:
            continue
        at, width, ratios = np.array(shown).T
        bars = axes.barh(at, ratios - 1, width, left=1, color=colour, label=f"beside {label}")
        for bar, ratio in zip(bars, ratios):
            axes.annotate(spell(ratio), (ratio, bar.get_y() + bar.get_height() / 2), (4 if ratio >= 1 else -4, 0),
                          textcoords="offset points", ha="left" if ratio >= 1 else "right", va="center", fontsize=7, color=INK)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.5), high * 1.4)
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks])
    axes.minorticks_off()
    axes.axvline(1, color=INK, linewidth=1)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_yticks(places, [f"{row['case'].name}\n{row['case'].size}" for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.suptitle("Speed of the cpu device: times as fast as the peer on the same CPU", fontsize=10, color=INK)
    axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(PEERS), frameon=False)
    figure.savefig(file, dpi=130)
    plt.close(figure)


def photographs(cases: list, file: pathlib.Path) -> None:
    """One row a device: the photograph as it was, and what each filter made of it."""
    devices = sorted({case.device for case in cases})
    if not devices:
        return
    import matplotlib.pyplot as plt
    columns = 1 + max(sum(case.device == device for case in cases) for device in devices)
    heights = [next(case.photograph.shape[0] / case.photograph.shape[1] for case in cases if case.device == device) for device in devices]
    figure, axes = plt.subplots(len(devices), columns, squeeze=False, figsize=(3.2 * columns, 3.2 * sum(heights) + 0.3 * len(devices)),
                                height_ratios=heights, layout="constrained")
    for row, device in zip(axes, devices):
        own = [case for case in cases if case.device == device]
        seen = own[0].photograph
        where = "cpu" if device == "cpu" else "metal: MSL executed"
        for axis, title, image in zip(row, [f"photograph, {seen.shape[0]}x{seen.shape[1]}"] + [f"{case.name} ({where})" for case in own],
                                      [seen] + [case.out[:seen.shape[0], :seen.shape[1]] for case in own]):
            brightest = 1.0 if image.max() <= 1.001 else np.percentile(image, 99)  # edges reach further than grey values
            axis.imshow(image, cmap="gray", vmin=0, vmax=brightest, interpolation="nearest")
            axis.set_title(title, fontsize=9, color=INK)
        for axis in row:
            axis.axis("off")
    figure.savefig(file, dpi=130)
    plt.close(figure)
