"use strict";
// Draws every chart of a page, also those that a partial update brings. The colours are the stylesheet's, and follow it
// when the reader's system turns from light to dark. Expressions are interpreted (`ast`), never made into code.

const CHARTS = new Map();

function chartTheme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = getComputedStyle(document.body).fontFamily;
  const quiet = colour("--quiet");
  const text = { labelColor: quiet, titleColor: quiet, labelFont: font, titleFont: font, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
  return {
    background: "transparent",
    font,
    // To a screen reader the drawing is one picture with one description: its parts say nothing that the table does not.
    aria: false,
    mark: { aria: false },
    axis: { ...text, gridColor: colour("--line"), domainColor: colour("--quiet"), tickColor: colour("--quiet") },
    legend: { ...text, orient: "bottom", title: null, columns: 2, labelLimit: 260, symbolStrokeWidth: 2 },
    view: { stroke: null },
    text: { color: colour("--ink"), font, fontSize: 12 },
    rule: { color: quiet },
  };
}

async function drawChart(box) {
  const source = document.getElementById(box.dataset.chart);
  if (!source || !window.vegaEmbed) return;
  const spec = JSON.parse(source.textContent);
  spec.config = { ...chartTheme(), ...spec.config };
  box.hidden = false;
  box.style.minHeight = `${spec.height}px`;
  const before = CHARTS.get(box);
  if (before) before.finalize();
  const drawn = await window.vegaEmbed(box, spec, {
    ast: true,
    actions: false,
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true, theme: "desk" },
  });
  CHARTS.set(box, drawn);
}

function drawCharts(root) {
  for (const [box, drawn] of CHARTS) {
    if (!box.isConnected) {
      drawn.finalize();
      CHARTS.delete(box);
    }
  }
  root.querySelectorAll("[data-chart]").forEach(drawChart);
}

document.addEventListener("DOMContentLoaded", () => drawCharts(document));
document.addEventListener("htmx:afterSettle", (event) => drawCharts(event.target));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawCharts(document));
