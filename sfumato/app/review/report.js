"use strict";
// Keeps each timeline and its video together: playing moves the cursor, pointing reads a value, pressing goes there.
const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
for (const clip of document.querySelectorAll(".clip")) {
  const video = clip.querySelector("video");
  if (!calm) video.play().catch(() => undefined);
  const figure = clip.querySelector(".timeline");
  if (figure) connect(video, figure);
}

function connect(video, figure) {
  const { length, points } = JSON.parse(figure.dataset.timeline);
  const drawing = figure.querySelector("svg"), cursor = figure.querySelector(".cursor"), bead = figure.querySelector(".bead");
  const readout = figure.querySelector(".readout");
  const grid = figure.querySelector(".grid");
  const left = Number(grid.getAttribute("x1")), right = Number(grid.getAttribute("x2"));
  const top = Number(cursor.getAttribute("y1")), bottom = Number(cursor.getAttribute("y2"));
  let pointing = false;

  function nearest(time) {
    return points.reduce((best, point) => (Math.abs(point[0] - time) < Math.abs(best[0] - time) ? point : best));
  }
  function show(time) {
    const [at, score] = nearest(time);
    const x = left + (right - left) * Math.min(Math.max(time / length, 0), 1);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    bead.setAttribute("cx", left + (right - left) * (at / length));
    bead.setAttribute("cy", top + (bottom - top) * (1 - score));
    readout.textContent = `${time.toFixed(2)} s: ${score.toFixed(3)}`;
  }
  function timeAt(event) {
    const box = drawing.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * drawing.viewBox.baseVal.width;
    return Math.min(Math.max((x - left) / (right - left), 0), 1) * length;
  }
  function follow() {
    if (!pointing) show(video.currentTime);
    window.requestAnimationFrame(follow);
  }
  drawing.addEventListener("pointermove", (event) => { pointing = true; show(timeAt(event)); });
  drawing.addEventListener("pointerleave", () => { pointing = false; });
  drawing.addEventListener("click", (event) => { video.currentTime = timeAt(event); pointing = false; });
  follow();
}
