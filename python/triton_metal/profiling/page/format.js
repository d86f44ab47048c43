// Numbers as text, elements, colours, and the line that follows the pointer.

const profile = JSON.parse(document.getElementById("data").textContent);

/** With three significant digits and no exponent, as the printed table has them. */
function number(value) {
  if (value === null || value === undefined) return "-";
  if (value >= 100 || value === 0) return value.toFixed(0);
  return String(Number(value.toPrecision(3)));
}

function amount(value, unit = "") {
  if (value === null || value === undefined) return "-";
  for (const [factor, prefix] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (value >= factor) return `${number(value / factor)} ${prefix}${unit}`;
  return `${number(value)} ${unit}`.trim();
}

function percent(value) {
  return value === null || value === undefined ? "-" : `${(value * 100).toFixed(value >= 0.1 ? 0 : 1)}%`;
}

/** Microseconds, in the unit that suits. */
function duration(us) {
  if (us >= 1e6) return `${number(us / 1e6)} s`;
  return us >= 1e3 ? `${number(us / 1e3)} ms` : `${number(us)} µs`;
}

function attach(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function el(tag, attributes = {}, ...children) {
  return attach(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return attach(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

// Readable on both papers; kernels beyond the last share grey.
const COLOURS = ["#4269d0", "#e08b00", "#e5484d", "#2a9d8f", "#8f5bd6", "#3c9a3c", "#d6569b", "#8c6d46"];
const OTHERS = "#8a929c";

function colourOf(kernel) {
  return COLOURS[kernel] ?? OTHERS;
}

function swatch(kernel) {
  const node = el("span", {class: "swatch", "aria-hidden": "true"});
  node.style.background = colourOf(kernel);
  return node;
}

const tip = document.getElementById("tip");

/** Shows a text beside the pointer; none hides it. */
function showTip(text, event) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8))}px`;
}

/** The kernel that the page is about; every part shows the choice. */
const choice = {
  kernel: 0,
  watchers: [],
  set(kernel) {
    this.kernel = kernel;
    for (const watcher of this.watchers) watcher(kernel);
  },
};
