// The launches over time on a canvas: a lane for each device and thread. Drag or arrow keys move it, the wheel and + and - zoom.

function drawTimeline() {
  const place = document.getElementById("timeline");
  const launches = profile.launches, shapes = profile.shapes, kernels = profile.kernels;
  const count = launches.shape.length;
  if (!count) {
    place.append(el("p", {class: "empty"}, "Nothing was launched."));
    return;
  }
  const lanes = new Map(); // device and thread -> {name, index, launches by their begin}
  for (let i = 0; i < count; ++i) {
    const device = kernels[shapes[launches.shape[i]].kernel].device;
    const name = `${device}, ${profile.threads[launches.thread[i]]}`;
    if (!lanes.has(name)) lanes.set(name, {name, index: lanes.size, launches: []});
    lanes.get(name).launches.push(i);
  }
  [...lanes.values()].sort((a, b) => a.name.localeCompare(b.name)).forEach((lane, index) => (lane.index = index));
  const begin = launches.begin_us, length = launches.duration_us;
  for (const lane of lanes.values()) lane.launches.sort((a, b) => begin[a] - begin[b]);
  let first = Infinity, last = -Infinity;
  for (let i = 0; i < count; ++i) {
    first = Math.min(first, begin[i]);
    last = Math.max(last, begin[i] + length[i]);
  }
  const margin = Math.max((last - first) * 0.01, 0.5);
  const whole = [first - margin, last + margin];
  let view = [...whole];

  const LANE = 34, AXIS = 24, NAME = 16;
  const tall = AXIS + lanes.size * (LANE + NAME) + 6;
  const left = profile.launch_count > count ? ` The first ${count} of ${profile.launch_count}.` : "";
  const canvas = el("canvas", {tabindex: 0, role: "img", "aria-label":
    `${count} launches within ${duration(last - first)} in ${lanes.size} lanes: ${[...lanes.keys()].join("; ")}.${left}`});
  canvas.style.height = `${tall}px`;
  const range = el("span", {"aria-live": "polite"});
  const zoomButton = (text, label, factor) =>
    el("button", {type: "button", "aria-label": label, onclick: () => zoom(factor, (view[0] + view[1]) / 2)}, text);
  place.append(
    el("div", {class: "tools"}, zoomButton("+", "zoom in", 0.5), zoomButton("−", "zoom out", 2),
      el("button", {type: "button", onclick: () => show(...whole)}, "all"), range,
      el("span", {}, `drag to move, wheel to zoom.${left}`)),
    canvas);

  const paper = canvas.getContext("2d");
  const toTime = (px) => view[0] + (px / canvas.clientWidth) * (view[1] - view[0]);
  const toPixel = (us) => ((us - view[0]) / (view[1] - view[0])) * canvas.clientWidth;
  const laneTop = (lane) => AXIS + lane.index * (LANE + NAME) + NAME;
  let waits = false;
  const redraw = () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => ((waits = false), draw()));
  };

  function show(from, to) {
    const least = 0.05, most = whole[1] - whole[0];
    const wide = Math.min(Math.max(to - from, least), most);
    const start = Math.min(Math.max(from, whole[0]), whole[1] - wide);
    view = [start, start + wide];
    redraw();
  }
  function zoom(factor, around) {
    show(around - (around - view[0]) * factor, around + (view[1] - around) * factor);
  }

  function step(span) {
    const power = 10 ** Math.floor(Math.log10(span / 8));
    return [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 10);
  }

  function draw() {
    const scale = devicePixelRatio || 1, wide = canvas.clientWidth;
    if (!wide) return;
    if (canvas.width !== Math.round(wide * scale)) canvas.width = Math.round(wide * scale);
    if (canvas.height !== Math.round(tall * scale)) canvas.height = Math.round(tall * scale);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    paper.setTransform(scale, 0, 0, scale, 0, 0);
    paper.clearRect(0, 0, wide, tall);
    paper.font = "12px system-ui, sans-serif";
    const size = step(view[1] - view[0]);
    for (let tick = Math.ceil(view[0] / size); tick * size <= view[1]; ++tick) {
      const at = toPixel(tick * size);
      paper.fillStyle = colour("--line");
      paper.fillRect(Math.round(at), AXIS - 6, 1, tall);
      paper.fillStyle = colour("--faint");
      const text = tick === 0 ? "0" : duration(Math.abs(tick * size));
      if (tick >= 0 && at + 4 + paper.measureText(text).width < wide) paper.fillText(text, at + 4, 14);
    }
    for (const lane of lanes.values()) {
      const top = laneTop(lane);
      paper.fillStyle = colour("--panel");
      paper.fillRect(0, top, wide, LANE);
      let last = -1; // the pixel that is full: launches too short to see need not be drawn over each other
      for (const i of lane.launches) {
        const x = toPixel(begin[i]), end = toPixel(begin[i] + length[i]);
        if (x > wide) break;
        if (end < 0 || end < last) continue;
        const kernel = shapes[launches.shape[i]].kernel, width = Math.max(end - x, 1);
        paper.fillStyle = colourOf(kernel);
        paper.globalAlpha = kernel === choice.kernel ? 1 : 0.72;
        paper.fillRect(x, top + 4, Math.max(width - (width > 3 ? 1 : 0), 1), LANE - 8);
        last = Math.floor(x + width);
        if (width > 60) {
          paper.globalAlpha = 1;
          paper.fillStyle = "#fff";
          paper.save();
          paper.beginPath();
          paper.rect(x, top, width - 6, LANE);
          paper.clip();
          paper.fillText(kernels[kernel].label, Math.max(x, 0) + 5, top + LANE / 2 + 4);
          paper.restore();
        }
      }
      paper.globalAlpha = 1;
      paper.font = "12px system-ui, sans-serif";
      paper.lineWidth = 3;
      paper.strokeStyle = colour("--paper");
      paper.strokeText(lane.name, 4, top - 4);
      paper.fillStyle = colour("--ink");
      paper.fillText(lane.name, 4, top - 4);
    }
    range.textContent = `${duration(Math.max(view[0], 0))} to ${duration(view[1])}`;
  }

  function launchAt(event) {
    const box = canvas.getBoundingClientRect();
    const px = event.clientX - box.left, py = event.clientY - box.top, slack = ((view[1] - view[0]) / canvas.clientWidth) * 2;
    const time = toTime(px);
    const lane = [...lanes.values()].find((one) => py >= laneTop(one) && py <= laneTop(one) + LANE);
    return lane?.launches.find((i) => begin[i] - slack <= time && time <= begin[i] + length[i] + slack);
  }
  function describe(i) {
    const shape = shapes[launches.shape[i]], kernel = kernels[shape.kernel];
    const lines = [kernel.label, `${duration(length[i])} from ${duration(begin[i])}`, `grid ${shape.grid.join(" × ")}`];
    if (shape.bytes !== null) lines.push(`${amount(shape.bytes, "B")}, ${number(shape.bytes / length[i] / 1e3)} GB/s`);
    if (shape.operations) lines.push(`${amount(shape.operations)} operations, ${number(shape.operations / length[i] / 1e3)} GFLOP/s`);
    return lines.join("\n");
  }

  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    drag = {at: event.clientX, view: [...view], moved: false};
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      const by = ((event.clientX - drag.at) / canvas.clientWidth) * (drag.view[1] - drag.view[0]);
      drag.moved ||= Math.abs(event.clientX - drag.at) > 3;
      if (drag.moved) show(drag.view[0] - by, drag.view[1] - by);
    }
    const i = drag?.moved ? undefined : launchAt(event);
    showTip(i === undefined ? "" : describe(i), event);
  });
  canvas.addEventListener("pointerup", (event) => {
    const i = drag && !drag.moved ? launchAt(event) : undefined;
    drag = null;
    if (i !== undefined) choice.set(shapes[launches.shape[i]].kernel);
  });
  canvas.addEventListener("pointerleave", () => showTip(""));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = (event.deltaX / canvas.clientWidth) * (view[1] - view[0]);
      show(view[0] + by, view[1] + by);
    } else zoom(Math.exp(event.deltaY * 0.002), toTime(event.clientX - box.left));
  }, {passive: false});
  canvas.addEventListener("keydown", (event) => {
    const span = view[1] - view[0], by = {ArrowLeft: -0.2, ArrowRight: 0.2}[event.key];
    if (by) show(view[0] + by * span, view[1] + by * span);
    else if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 0.5 : 2, (view[0] + view[1]) / 2);
    else if (event.key === "Home") show(...whole);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(redraw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  choice.watchers.push(redraw);
  draw();
}
