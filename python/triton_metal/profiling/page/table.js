// The table of kernels, which can be sorted by each column.

function drawTable() {
  const table = document.getElementById("kernels");
  const kernels = profile.kernels;
  const total = kernels.reduce((sum, row) => sum + row.total_us, 0);
  const share = (row) => {
    const inner = el("i");
    inner.style.width = `${total ? (100 * row.total_us) / total : 0}%`;
    return el("span", {class: "bar", title: percent(total ? row.total_us / total : 0)}, inner);
  };
  const name = (row) => el("button", {type: "button"}, swatch(row.index), row.name, el("small", {}, row.variant));
  const about = (row) => (row.is_exact || row.bytes === null ? "" : "~");
  const occupancy = (row) => row.occupancy && row.occupancy.simdgroups / row.occupancy.most;
  // title, what it is, value to sort by, content
  const columns = [
    ["kernel", "name, and what tells it from others of that name", (row) => row.label, name, "text kernel"],
    ["device", "", (row) => row.device, null, "text"],
    ["launches", "", (row) => row.launches],
    ["total ms", "all launches together, and their part of all", (row) => row.total_us, 
      (row) => [share(row), el("span", {class: "figure"}, number(row.total_us / 1e3))]],
    ["median µs", "", (row) => row.median_us, (row) => number(row.median_us)],
    ["p95 µs", "95 of 100 launches are faster", (row) => row.p95_us, (row) => number(row.p95_us)],
    ["bytes", "that loads and stores of all launches ask for", (row) => row.bytes, (row) => about(row) + amount(row.bytes, "B")],
    ["operations", "on floats, of all launches", (row) => row.operations, (row) => about(row) + amount(row.operations)],
    ["GB/s", "10^9 bytes a second", (row) => row.gbs, (row) => number(row.gbs)],
    ["GFLOP/s", "10^9 operations on floats a second", (row) => row.gflops, (row) => number(row.gflops)],
    ["FLOP/B", "operations on floats a byte", (row) => row.intensity, (row) => number(row.intensity)],
    ["bound by", "the lower roof at this FLOP/B", (row) => row.bound, (row) => row.bound ?? "-", "text"],
    ["of roof", "how near it comes to that roof", (row) => row.roof_fraction, (row) => percent(row.roof_fraction)],
    ["occupancy", "estimated SIMD-groups of a core of the most there can be, and what bounds them", occupancy,
      (row) => (row.occupancy ? `${(occupancy(row) * 100).toFixed(0)}% (${row.occupancy.bound})` : "-"), "text"],
  ];
  kernels.forEach((row, index) => (row.index = index));
  let sorted = 3, descending = true;

  const headers = columns.map(([title, what, , , kind], i) =>
    el("th", {scope: "col", class: (kind ?? "").split(" ")[0] || null, title: what || null},
      el("button", {type: "button", onclick: () => sort(i)}, title)));
  const rows = kernels.map((row) =>
    el("tr", {"data-kernel": row.index, "aria-selected": "false", onclick: () => choice.set(row.index)},
      ...columns.map(([, , value, content, kind]) => {
        const shown = content ? content(row) : String(value(row));
        return el("td", {class: kind ?? null}, ...(Array.isArray(shown) ? shown : [shown]));
      })));
  const body = el("tbody");
  table.append(el("thead", {}, el("tr", {}, ...headers)), body);

  function draw() {
    headers.forEach((header, i) => {
      if (i === sorted) header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else header.removeAttribute("aria-sort");
    });
    const value = columns[sorted][2];
    const order = [...kernels].sort((a, b) => {
      const x = value(a), y = value(b);
      if (x === null || y === null) return (x === null) - (y === null) || a.index - b.index; // what is not known comes last
      const compared = typeof x === "string" ? x.localeCompare(y) : x - y;
      return (descending ? -compared : compared) || a.index - b.index;
    });
    body.replaceChildren(...order.map((row) => rows[row.index]));
  }

  function sort(column) {
    descending = column === sorted ? !descending : typeof columns[column][2](kernels[0] ?? {}) !== "string";
    sorted = column;
    draw();
  }

  choice.watchers.push((kernel) => rows.forEach((row, i) => row.setAttribute("aria-selected", String(i === kernel))));
  if (kernels.length) draw();
}
