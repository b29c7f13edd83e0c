"use strict";
(() => {
  const root = document.documentElement;
  const grid = JSON.parse(document.getElementById("grid").textContent);
  const at = grid.sliders.map((s) => Math.floor(s.values.length / 2));
  const box = document.getElementById("sliders");
  const lang = () => root.dataset.lang;
  const short = (v) => {
    const a = Math.abs(v);
    return a >= 1e6 ? +(v / 1e6).toPrecision(3) + "M" : a >= 1e3 ? +(v / 1e3).toPrecision(3) + "k" : "" + +v.toPrecision(3);
  };
  const W = 360, H = 200, L = 46, B = 24;

  function chart(title, low, mid, high) {
    const top = Math.max(...high) || 1, n = mid.length - 1;
    const x = (i) => L + (i / n) * (W - L - 8), y = (v) => H - B - (v / top) * (H - B - 26);
    const line = (vs) => vs.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`);
    const band = [...line(high), ...line(low).reverse()].join(" ");
    const ticks = [0, 0.5, 1].map((f) =>
      `<text x="${L - 6}" y="${y(f * top) + 4}" text-anchor="end" font-size="11">${short(f * top)}</text>` +
      `<line x1="${L}" x2="${W - 8}" y1="${y(f * top)}" y2="${y(f * top)}" stroke="#e6e6e6"/>`).join("");
    const ends = [0, n].map((i) =>
      `<text x="${x(i)}" y="${H - 8}" text-anchor="${i ? "end" : "start"}" font-size="11">${grid.ends[i].slice(0, 7)}</text>`).join("");
    return `<svg width="${W}" height="${H}" role="img" aria-label="${title}"><text x="8" y="16" font-size="13" font-weight="bold">${title}</text>` +
      `${ticks}${ends}<polygon points="${band}" fill="#1f3a5f" opacity=".22"/>` +
      `<polyline points="${line(mid).join(" ")}" fill="none" stroke="#1f3a5f" stroke-width="2.2"/></svg>`;
  }

  function draw() {
    const zh = lang() === "zh", c = grid.cells[at.join("-")];
    box.querySelectorAll("output").forEach((o, i) => { o.textContent = short(grid.sliders[i].values[at[i]]); });
    box.querySelector(".charts").innerHTML =
      chart(zh ? "累计交付（件）" : "delivered, units", c[0], c[1], c[2]) + " " +
      chart(zh ? "差距：美 / 中" : "gap: US / China", c[3], c[4], c[5]);
  }

  box.innerHTML = '<div class="controls">' + grid.sliders.map((s, i) =>
    `<label><span lang="en">${s.en}</span><span lang="zh">${s.zh}</span> <output></output>` +
    `<input type="range" min="0" max="${s.values.length - 1}" value="${at[i]}" data-i="${i}"></label>`).join("") +
    `<small>${grid.paths} paths; 10 % - 90 %</small></div><div class="charts"></div>`;
  box.addEventListener("input", (e) => { at[+e.target.dataset.i] = +e.target.value; draw(); });
  document.querySelectorAll("nav button").forEach((b) => b.addEventListener("click", () => {
    root.dataset.lang = b.dataset.to; root.lang = b.dataset.to; draw();
  }));
  if ((navigator.language || "").startsWith("zh")) root.dataset.lang = "zh";
  draw();
})();
