// Puts the page together.

function drawHeader() {
  const total = profile.kernels.reduce((sum, row) => sum + row.total_us, 0);
  const kernels = profile.kernels.length === 1 ? "1 kernel" : `${profile.kernels.length} kernels`;
  document.getElementById("summary").textContent =
    `${profile.launch_count} launches of ${kernels} ran ${duration(total)} of ${duration(profile.duration_us)}`;
  document.getElementById("notes").append(...profile.notes.map((note) =>
    el("li", {class: note.includes("say nothing about a GPU") ? "warning" : null}, note)));
}

drawHeader();
drawTable();
drawRooflines();
drawTimeline();
drawCode();
choice.set(0);
