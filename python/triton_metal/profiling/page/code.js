// The chosen kernel's Python source beside its code. A line of one shows the lines of the other that belong to it.

const PYTHON = /(#.*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b(def|return|for|in|if|else|elif|while|and|or|not|is|None|True|False|import|from|with|pass|lambda|range|static_range)\b|\b(\d[\w.]*)\b/g;
const METAL = /(\/\/.*)|("(?:[^"\\]|\\.)*")|\b(kernel|device|constant|threadgroup|thread|for|while|if|else|return|break|continue|const|struct|using|namespace|float|half|bfloat|int|uint|short|ushort|char|uchar|long|ulong|bool|void|true|false)\b|\b(\d[\w.]*)\b/g;
const MODULE = /(\/\/.*)|("(?:[^"\\]|\\.)*")|((?:\b(?:tt|ttm|arith|math|scf|ub|cf)\.[\w.]+))|\b(\d[\w.]*)\b/g;
const ASSEMBLY = /((?:;|#).*)|("(?:[^"\\]|\\.)*")|(^\s*[a-z][\w.]*(?=\s))|(\$-?\w+|\b0x[0-9a-f]+\b)/g;
const COLOURING = {python: PYTHON, msl: METAL, ttir: MODULE, ttm: MODULE, llir: ASSEMBLY, asm: ASSEMBLY};
const LANGUAGES = {msl: "Metal", ttir: "TTIR", ttm: "TTM: with layouts", llir: "LLVM IR", asm: "assembly"};

/** The line with its comments, strings, keywords and numbers in spans. */
function coloured(line, language) {
  const node = el("code");
  let end = 0;
  for (const match of line.matchAll(COLOURING[language])) {
    const kind = "cskn"[match.slice(1).findIndex((group) => group !== undefined)];
    node.append(line.slice(end, match.index), el("span", {class: kind}, match[0]));
    end = match.index + match[0].length;
  }
  node.append(line.slice(end));
  return node;
}

function drawCode() {
  const place = document.getElementById("code");
  const title = document.getElementById("code-title");
  let stage = null;

  function show(kernel) {
    const row = profile.kernels[kernel];
    if (!row) {
      place.replaceChildren(el("p", {class: "empty"}, "Nothing was launched."));
      return;
    }
    title.replaceChildren("Source and code of ", row.label);
    const code = row.code, chosen = code.stages.find((one) => one.name === stage) ?? code.stages[0];
    const hits = new Map(); // reference -> its rows on both sides
    const rowsOf = (reference) => hits.get(reference) ?? hits.set(reference, []).get(reference);

    const link = (node, references) => {
      if (!references.length) return node;
      node.classList.add("linked");
      references.forEach((reference) => rowsOf(reference).push(node));
      node.addEventListener("pointerenter", () => mark(references, null));
      node.addEventListener("click", () => mark(references, node));
      return node;
    };
    let marked = [];
    function mark(references, from) {
      for (const node of marked) node.classList.remove("hit");
      marked = references.flatMap((reference) => rowsOf(reference));
      for (const node of marked) node.classList.add("hit");
      const other = from && marked.find((node) => node.parentNode !== from.parentNode);
      if (other) other.parentNode.scrollTop = other.offsetTop - other.parentNode.offsetTop - other.parentNode.clientHeight / 3;
    }

    const referencesOf = new Map(); // "piece:line" -> references that the stage uses
    const used = new Set(chosen?.at ?? []);
    code.references.forEach(([piece, line], reference) => {
      const key = `${piece}:${line}`;
      if (used.has(reference)) referencesOf.set(key, [...(referencesOf.get(key) ?? []), reference]);
    });
    const source = el("div", {class: "listing python", tabindex: 0, "aria-label": `Python source of ${row.label}`});
    code.pieces.forEach((piece, p) => {
      source.append(el("div", {class: "file"}, `${piece.file}:${piece.first}`));
      piece.lines.forEach((line, i) => source.append(link(
        el("div", {class: "row"}, el("b", {}, String(piece.first + i)), coloured(line, "python")), referencesOf.get(`${p}:${i}`) ?? [])));
    });
    if (code.left_out.includes("python")) source.append(el("div", {class: "file"}, "the rest is too long for this page"));
    else if (!code.pieces.length) source.append(el("div", {class: "file"}, "compiled from text, not from Python"));

    const listing = el("div", {class: "listing stage", id: "listing", role: "tabpanel", tabindex: 0, "aria-label": `Code of ${row.label}`});
    if (chosen) {
      chosen.lines.forEach((line, i) => listing.append(link(
        el("div", {class: "row"}, el("b", {}, String(i + 1)), coloured(line, chosen.name)), chosen.at[i] < 0 ? [] : [chosen.at[i]])));
    }
    const tabs = code.stages.map((one) => el("button", {class: "tab", type: "button", role: "tab", "aria-selected": String(one === chosen),
      "aria-controls": "listing", "data-stage": one.name, onclick: () => ((stage = one.name), show(choice.kernel))}, LANGUAGES[one.name]));
    const missing = code.left_out.filter((name) => name !== "python");
    const left = missing.length ? [el("span", {}, `too long for this page: ${missing.join(", ")}; kernel.asm has it`)] : [];
    place.replaceChildren(el("div", {class: "panes"},
      el("div", {class: "pane"}, el("div", {class: "bar-of-pane"}, el("span", {}, "Python")), source),
      el("div", {class: "pane"}, el("div", {class: "bar-of-pane", role: "tablist", "aria-label": "stages"}, ...tabs, ...left), listing)));
  }
  choice.watchers.push(show);
}
