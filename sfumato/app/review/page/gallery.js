// Few files side by side, as the demo shows them: every one told at once, playing.
function gallery(page) {
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const place = document.querySelector(".clips");
  for (const entry of page.entries) {
    const shown = clipOf(entry, page, { loop: true });
    place.append(shown.article);
    if (!calm) shown.media?.play().catch(() => undefined);
  }
}
