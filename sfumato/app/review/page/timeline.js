// The score over time, drawn by uPlot: pressing goes there, pointing reads a value, the line of the video's time follows.
const darkness = window.matchMedia("(prefers-color-scheme: dark)");

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function momentsOf(record) {
  return listOf(record.timeline).filter((moment) => isNumber(moment.t) && isNumber(moment.score)).map(({ t, score }) => [t, score]);
}

/** Stretches in which every looked-at moment is above the threshold: [first, last, highest]. */
function stretches(points, threshold) {
  const found = [];
  let open = null;
  for (const [time, score] of points) {
    if (score > threshold) {
      if (open) [open[1], open[2]] = [time, Math.max(open[2], score)];
      else found.push((open = [time, time, score]));
    } else open = null;
  }
  return found;
}

/** Lines over one axis of times: [name, points, look]. */
function linesOf(record, other) {
  const lines = [["score", momentsOf(record), { stroke: "accent", width: 2 }]];
  const tracks = listOf(record.tracks);
  if (tracks.length > 1) {
    for (const track of tracks.slice(0, 8)) {
      const points = listOf(track.frames).filter((frame) => isNumber(frame.t) && isNumber(frame.score));
      lines.push([`face ${track.id}`, points.map((frame) => [frame.t, frame.score]), { stroke: "soft", width: 1, dash: [2, 3] }]);
    }
  }
  if (other) lines.push(["re-encoded", momentsOf(other), { stroke: "soft", width: 1.5, dash: [5, 4] }]);
  return lines.filter(([, points]) => points.length);
}

function timelineOf(record, media, other = null) {
  const lines = linesOf(record, other);
  if (!lines.length || lines[0][0] !== "score" || (lines[0][1].length < 2 && !other)) return null;
  const points = lines[0][1], threshold = dictOf(record.threshold).score;
  const length = Math.max(dictOf(record.media).duration || 0, ...lines.flatMap(([, all]) => all.map(([time]) => time)), 0.1);
  const above = isNumber(threshold) ? stretches(points, threshold) : [];
  const highest = points.reduce((best, point) => (point[1] > best[1] ? point : best));
  const said = `Score of ${many(points.length, "frame")}, highest ${score3(highest[1])} at ${seconds(highest[0])}`;
  const readout = make("span", { class: "readout", text: said });
  const place = make("div", { class: "chart", role: "img", "aria-label": said });
  const marker = make("div", { class: "marker" });
  const keys = make("span", { class: "keys" }, lines.length > 1 || isNumber(threshold) ? [
    key("", other ? "sealed" : "highest face"),
    lines.some(([name]) => name.startsWith("face")) ? key("broken", "each face") : null,
    other ? key("broken", "re-encoded") : null,
    isNumber(threshold) ? key("limit", `flags above ${threshold.toFixed(2)}`) : null,
  ] : []);
  const figure = make("figure", { class: "timeline" }, place, make("figcaption", {}, readout, keys));
  let chart = null;

  function key(kind, text) {
    return make("span", {}, make("i", { class: `key ${kind}` }), text);
  }
  function build() {
    chart?.destroy();
    const ink = colour("soft"), grid = { stroke: colour("line"), width: 1 }, ticks = { show: false };
    const font = `11px ${colour("sans")}`;
    const axis = { stroke: ink, font, grid, ticks };
    chart = new uPlot({
      width: Math.max(place.clientWidth, 200), height: 150, legend: { show: false }, padding: [8, 10, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { time: false, range: [0, length] }, y: { range: [0, 1.02] } },
      axes: [
        { ...axis, size: 24, gap: 4, values: (_, all) => all.map((value) => seconds(value)) },
        { ...axis, size: 34, gap: 4, splits: [0, 0.5, 1], values: (_, all) => all.map(String) },
      ],
      series: [{}, ...lines.map(([, , look]) => ({
        ...look, stroke: colour(look.stroke), spanGaps: true, points: { show: look.width === 2 && points.length < 120, size: 4, fill: colour(look.stroke) },
      }))],
      hooks: { drawClear: [shade], draw: [limit], setCursor: [read] },
    }, uPlot.join(lines.map(([, all]) => [all.map(([time]) => time), all.map(([, score]) => score)])), place);
    chart.over.append(marker);
    chart.over.addEventListener("click", () => {
      if (media && chart.cursor.left >= 0) media.currentTime = chart.posToVal(chart.cursor.left, "x");
    });
    follow();
  }
  function shade(plot) {
    plot.ctx.fillStyle = colour("alarm-back");
    const { top, height } = plot.bbox;
    for (const [first, last] of above) {
      const left = plot.valToPos(first, "x", true);
      plot.ctx.fillRect(left - 2, top, Math.max(plot.valToPos(last, "x", true) - left, 0) + 4, height);
    }
  }
  function limit(plot) {
    if (!isNumber(threshold)) return;
    const { ctx, bbox } = plot, level = plot.valToPos(threshold, "y", true);
    ctx.save();
    ctx.strokeStyle = colour("alarm");
    ctx.lineWidth = window.devicePixelRatio || 1;
    ctx.setLineDash([7, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, level);
    ctx.lineTo(bbox.left + bbox.width, level);
    ctx.stroke();
    ctx.restore();
  }
  function read(plot) {
    const index = plot.cursor.idx;
    if (plot.cursor.left < 0 || index === null || index === undefined) return;
    const at = plot.data[0][index];
    readout.textContent = `${seconds(at)}: ${score3(points.reduce((best, point) => (Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best))[1])}`;
  }
  function follow() {
    const time = media ? media.currentTime : 0;
    marker.style.transform = `translateX(${chart ? Math.min(Math.max(chart.valToPos(time, "x"), 0), chart.over.clientWidth) : 0}px)`;
  }
  const resized = new ResizeObserver(() => {
    if (!chart) build();
    else if (place.clientWidth) chart.setSize({ width: place.clientWidth, height: 150 });
    follow();
  });
  resized.observe(place);
  darkness.addEventListener("change", build);
  function end() {
    resized.disconnect();
    darkness.removeEventListener("change", build);
    chart?.destroy();
  }
  return { figure, follow, end, above, highest };
}
