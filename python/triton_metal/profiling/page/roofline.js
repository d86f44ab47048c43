// The roofline chart of each device: rate over operations a byte, both logarithmic, below the roofs of memory and arithmetic.

function drawRooflines() {
  const place = document.getElementById("roofline");
  for (const device of profile.devices) {
    const kernels = profile.kernels.filter((row) => row.device === device.name);
    place.append(el("figure", {"data-device": device.name}, ...roofline(device, kernels)));
  }
}

function powers(low, high) {
  const list = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); ++power) list.push(power);
  return list;
}

/** 10^power as text: 0.01, 1, 1000. */
function decimal(power) {
  return power < 0 ? (10 ** power).toFixed(-power) : String(10 ** power);
}

function roofline(device, kernels) {
  const title = device.chip ? `${device.name}, ${device.chip}` : device.name;
  const caption = (...rest) => el("figcaption", {}, el("strong", {}, title), ...rest);
  if (device.bandwidth_gbs === null) return [caption(": its roofs are not known")];
  const known = kernels.filter((row) => row.intensity);
  const without = kernels.filter((row) => !row.intensity);
  const missing = without.length ? ` Not in the chart: ${names(without)}, without operations on floats or with costs that are not known.` : "";
  const roofs = `: ${number(device.bandwidth_gbs)} GB/s and ${number(device.gflops)} GFLOP/s, ${device.roofs}.`;
  const hollow = device.is_software && known.length ? " Hollow: what the roof allows; the software Metal's times say nothing about a GPU." : "";

  const allowed = (row) => Math.min(device.bandwidth_gbs * row.intensity, row.roof_gflops);
  const height = (row) => (device.is_software ? allowed(row) : row.gflops);
  const peak = Math.max(device.gflops, ...known.map((row) => row.roof_gflops));
  const ridge = device.gflops / device.bandwidth_gbs;
  const xs = [ridge, ...known.map((row) => row.intensity)], ys = [peak, ...known.map(height)];
  const left = Math.floor(Math.log10(Math.min(...xs)) - 0.6), right = Math.ceil(Math.log10(Math.max(...xs)) + 0.6);
  const top = Math.log10(Math.max(...ys)) + 0.25;
  const bottom = Math.min(Math.log10(Math.min(...ys)) - 0.5, Math.log10(device.bandwidth_gbs * 10 ** left));
  const W = 720, H = 400, L = 62, R = 14, T = 14, B = 44;
  const x = (value) => L + ((Math.log10(value) - left) / (right - left)) * (W - L - R);
  const y = (value) => T + ((top - Math.log10(value)) / (top - bottom)) * (H - T - B);

  const chart = svg("svg", {viewBox: `0 0 ${W} ${H}`, role: "group", "aria-label": `Roofline of ${title}`});
  for (const power of powers(left, right)) {
    if (power < left || power > right) continue;
    const at = x(10 ** power);
    chart.append(svg("line", {class: "grid", x1: at, x2: at, y1: T, y2: H - B}),
      svg("text", {x: at, y: H - B + 17, "text-anchor": "middle"}, decimal(power)));
  }
  for (const power of powers(bottom, top)) {
    if (power < bottom || power > top) continue;
    const at = y(10 ** power);
    chart.append(svg("line", {class: "grid", x1: L, x2: W - R, y1: at, y2: at}),
      svg("text", {x: L - 8, y: at + 4, "text-anchor": "end"}, decimal(power)));
  }
  chart.append(svg("text", {x: (L + W - R) / 2, y: H - 8, "text-anchor": "middle"}, "operations a byte (FLOP/B)"),
    svg("text", {transform: `translate(14 ${(T + H - B) / 2}) rotate(-90)`, "text-anchor": "middle"}, "GFLOP/s"));

  const begin = 10 ** left, end = 10 ** right;
  chart.append(svg("path", {class: "roof", d:
    `M${x(begin)} ${y(device.bandwidth_gbs * begin)} L${x(ridge)} ${y(device.gflops)} L${x(end)} ${y(device.gflops)}`}));
  if (peak > device.gflops) {
    const corner = peak / device.bandwidth_gbs;
    chart.append(svg("path", {class: "roof", "stroke-dasharray": "6 4", d:
      `M${x(ridge)} ${y(device.gflops)} L${x(corner)} ${y(peak)} L${x(Math.max(end, corner))} ${y(peak)}`}));
  }
  const slope = (Math.atan2(y(10) - y(1), x(10) - x(1)) * 180) / Math.PI;
  const middle = 10 ** ((left + Math.log10(ridge)) / 2);
  chart.append(
    svg("text", {class: "rooftext", transform: `translate(${x(middle)} ${y(device.bandwidth_gbs * middle) - 8}) rotate(${slope})`,
      "text-anchor": "middle"}, `${number(device.bandwidth_gbs)} GB/s`),
    svg("text", {class: "rooftext", x: W - R - 4, y: y(device.gflops) - 7, "text-anchor": "end"}, `${number(device.gflops)} GFLOP/s`));

  const points = known.map((row) => point(row, x(row.intensity), y(height(row)), y(allowed(row)), device.is_software));
  const slopeText = [x(middle), y(device.bandwidth_gbs * middle) - 10];
  placeLabels(points, W - R, [[slopeText[0] - 30, slopeText[1] - 22, slopeText[0] + 30, slopeText[1] + 22]]);
  for (const one of points) chart.append(...one.parts);
  choice.watchers.push((kernel) => points.forEach((one) => one.dot.classList.toggle("chosen", one.row.index === kernel)));
  return [chart, caption(roofs, hollow, missing)];
}

function names(rows) {
  const list = rows.slice(0, 6).map((row) => row.label);
  return list.join(", ") + (rows.length > list.length ? ` and ${rows.length - list.length} more` : "");
}

function point(row, x, y, roof, isOpen) {
  const colour = colourOf(row.index);
  const reached = row.roof_fraction === null ? `the roof allows ${number((row.roof_gflops))} GFLOP/s at most` : `${percent(row.roof_fraction)} of the roof`;
  const said = isOpen
    ? `${row.label}: ${number(row.intensity)} FLOP/B, bound by ${row.bound}`
    : `${row.label}: ${number(row.intensity)} FLOP/B, ${number(row.gflops)} GFLOP/s, ${reached}, bound by ${row.bound}`;
  const choose = () => choice.set(row.index);
  const dot = svg("circle", {class: isOpen ? "point open" : "point", cx: x, cy: y, r: 6.5, tabindex: 0, role: "button", "aria-label": said,
    onclick: choose, onkeydown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), choose()),
    onpointermove: (event) => showTip(said.replaceAll(", ", "\n").replace(": ", "\n"), event), onpointerleave: () => showTip("")});
  if (isOpen) dot.style.stroke = colour;
  else dot.style.fill = colour;
  const drop = svg("line", {class: "drop", x1: x, x2: x, y1: roof, y2: y});
  drop.style.stroke = colour;
  const label = svg("text", {class: "label", "aria-hidden": "true"}, row.label.length > 34 ? `${row.label.slice(0, 33)}…` : row.label);
  return {row, dot, label, x, y, parts: isOpen ? [label, dot] : [drop, label, dot]};
}

/** Puts each label beside its point where none of another lies; one that finds no room is left out, the point says the same. */
function placeLabels(points, right, others) {
  const taken = [...others, ...points.map((one) => [one.x - 8, one.y - 8, one.x + 8, one.y + 8])];
  const free = (box) => !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
  for (const one of points) {
    const width = one.label.textContent.length * 6.4;
    const places = [[11, 4], [11, 20], [11, -12], [-11 - width, 4], [-11 - width, 20], [-11 - width, -12]];
    const found = places.map(([dx, dy]) => [one.x + dx, one.y + dy - 11, one.x + dx + width, one.y + dy + 3])
      .find((box) => box[2] <= right && box[0] >= 64 && free(box));
    if (!found) {
      one.label.remove();
      one.parts = one.parts.filter((part) => part !== one.label);
      continue;
    }
    taken.push(found);
    one.label.setAttribute("x", found[0]);
    one.label.setAttribute("y", found[1] + 11);
  }
}
