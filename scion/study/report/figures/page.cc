#include "scion/study/report/figures/page.h"

#include <string_view>

#include "scion/study/report/figures/table.h"

namespace scion {
namespace {

// Series colours are those of Okabe & Ito, darkened (or lightened) for contrast as thin lines; they
// stay apart for colour-blind readers.
constexpr std::string_view style = R"css(
:root {
  color-scheme: light dark;
  --paper: #fdfdfb; --ink: #1c1e22; --soft: #5d636d; --faint: #8b9099; --rule: #dcdcd6;
  --wash: #f4f4ef; --accent: #0b62a8; --good: #0a7a55; --bad: #b8430a;
  --series-0: #6d7178; --series-1: #0b6cb3; --series-2: #cf5500; --series-3: #008763;
  --series-4: #b5528d; --series-5: #a87500; --series-6: #2f97c9; --series-7: #7a5cc0;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", "Noto Serif",
    "DejaVu Serif", Georgia, serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --ink: #e6e6e1; --soft: #a7abb2; --faint: #7d828a; --rule: #34373c;
    --wash: #1f2226; --accent: #6cb4ee; --good: #4fc49a; --bad: #f0915a;
    --series-0: #a0a4ab; --series-1: #5aaceb; --series-2: #f0853d; --series-3: #2fbf93;
    --series-4: #dd8dbb; --series-5: #e0ac3a; --series-6: #8fd0f2; --series-7: #b09bf0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.55 var(--serif); text-rendering: optimizeLegibility; }
main { max-width: 1160px; margin: 0 auto; padding: 56px 28px 72px; }
header { border-bottom: 1px solid var(--rule); padding-bottom: 30px; }
h1 { font: 600 15px/1.4 var(--sans); letter-spacing: .01em; margin: 0; }
.dateline { font: 13px/1.4 var(--sans); color: var(--soft); margin: 3px 0 0; }
.headline { font-size: 31px; line-height: 1.28; letter-spacing: -.008em; max-width: 31em;
  margin: 22px 0 0; text-wrap: balance; }
.summary { max-width: 40em; color: var(--soft); margin: 18px 0 0; }
.figures { display: flex; flex-wrap: wrap; gap: 18px 48px; margin: 30px 0 0; padding: 0;
  list-style: none; font-family: var(--sans); }
.figures li { max-width: 13em; }
.figures b { display: block; font-size: 27px; font-weight: 600; line-height: 1.2;
  letter-spacing: -.01em; font-variant-numeric: tabular-nums; color: var(--accent); }
.figures span { font-size: 13px; line-height: 1.35; color: var(--soft); display: block;
  margin-top: 3px; }
section { margin-top: 46px; }
h2 { font: 600 22px/1.3 var(--serif); margin: 0 0 8px; }
section > p, .notes { max-width: 44em; margin: 0 0 18px; color: var(--soft); text-wrap: pretty; }
figure { margin: 0; }
figcaption { font: 600 14px/1.4 var(--sans); margin: 0 0 8px; }
.tables { display: flex; flex-wrap: wrap; gap: 28px 44px; }
.table { max-width: 100%; min-width: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font: 14px/1.35 var(--sans);
  font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: 5px 0 5px 20px; text-align: right; white-space: nowrap; vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th { font-weight: 500; color: var(--soft); border-bottom: 1px solid var(--ink); vertical-align: bottom; }
tbody tr + tr td { border-top: 1px solid var(--rule); }
tbody tr.heading td { font-weight: 600; padding-top: 14px; }
tbody tr.more td { border-top-color: transparent; }
tbody tr:last-child td { border-bottom: 1px solid var(--rule); }
.label { text-align: left; }
.wraps .label { white-space: normal; max-width: 44em; }
.wraps .label:first-child { white-space: nowrap; }
td strong { font-weight: 700; }
.note { font: 13px/1.45 var(--sans); color: var(--soft); max-width: 46em; margin: 8px 0 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr));
  gap: 30px 36px; }
.chart { max-width: 640px; }
.dots + .dots { margin-top: 30px; }
.dots + .charts, .dots + .tables, .charts + .tables, .tables + .charts { margin-top: 28px; }
svg { display: block; width: 100%; height: auto; overflow: visible; font: 12px var(--sans); }
svg text { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .axis { stroke: var(--faint); stroke-width: 1; }
svg .leader { stroke: var(--faint); stroke-width: .8; fill: none; }
svg .line.dashed { stroke-dasharray: 6 4; }
svg .whisker { stroke: currentColor; stroke-width: 2; opacity: .55; }
svg .mark { opacity: .45; }
svg .panel, svg .row-heading { fill: var(--ink); font-weight: 600; }
svg .row-name { fill: var(--ink); }
svg .line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
svg g { fill: currentColor; }
svg .band { fill: currentColor; opacity: .15; }
svg text.name { fill: currentColor; font-weight: 600; }
svg .cursor { stroke: var(--faint); stroke-dasharray: 3 3; }
.s0 { color: var(--series-0); } .s1 { color: var(--series-1); } .s2 { color: var(--series-2); }
.s3 { color: var(--series-3); } .s4 { color: var(--series-4); } .s5 { color: var(--series-5); }
.s6 { color: var(--series-6); } .s7 { color: var(--series-7); }
#tip { position: absolute; pointer-events: none; background: var(--paper); color: var(--ink);
  border: 1px solid var(--rule); border-radius: 4px; padding: 6px 10px; font: 12.5px/1.5 var(--sans);
  font-variant-numeric: tabular-nums; box-shadow: 0 3px 14px rgb(0 0 0 / .14); white-space: nowrap; }
#tip b { font-weight: 600; } #tip[hidden] { display: none; }
#tip div { display: flex; justify-content: space-between; gap: 18px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 22px; margin: 0;
  font: 14px/1.5 var(--sans); }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { font: 13px/1.6 var(--mono); background: var(--wash); border-radius: 4px; padding: 12px 16px;
  margin: 18px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.notes li { margin: 4px 0; }
footer { margin-top: 56px; padding-top: 14px; border-top: 1px solid var(--rule);
  font: 13px/1.5 var(--sans); color: var(--faint); }
@media (max-width: 640px) {
  main { padding: 32px 18px 48px; }
  .headline { font-size: 24px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; }
}
@media print {
  @page { margin: 16mm; }
  body { font-size: 10.5pt; background: none; }
  main { max-width: none; padding: 0; }
  .headline { font-size: 19pt; }
  section { margin-top: 26px; }
  .charts { grid-template-columns: 1fr 1fr; }
  figcaption { font-size: 9.5pt; }
  table { font-size: 8.5pt; } th, td { padding: 3px 0 3px 12px; }
  .scroll { overflow: visible; }
  figure, tr, li { break-inside: avoid; } h2, section > p { break-after: avoid; }
  #tip, .cursor { display: none; }
}
)css";

// Shows the values under the pointer.
constexpr std::string_view script = R"js(
const tip = document.getElementById("tip");
const row = (left, right, colour) => {
  const line = document.createElement("div");
  for (const [text, tag] of [[left, "span"], [right, "b"]]) {
    const part = document.createElement(tag);
    part.textContent = text;
    if (tag === "span" && colour !== undefined) part.className = "s" + colour;
    line.append(part);
  }
  return line;
};
for (const svg of document.querySelectorAll("svg[data-chart]")) {
  const chart = JSON.parse(svg.dataset.chart);
  const cursor = svg.querySelector(".cursor");
  const hide = () => { tip.hidden = true; cursor.setAttribute("visibility", "hidden"); };
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", (event) => {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      svg.getScreenCTM().inverse()).x;
    const nearest = (points, x) => points.reduce(
      (a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a);
    const at = nearest(chart.lines.flatMap((line) => line.points), place);
    cursor.setAttribute("x1", at[0]);
    cursor.setAttribute("x2", at[0]);
    cursor.setAttribute("visibility", "visible");
    tip.replaceChildren(row(chart.x, at[1]));
    for (const line of chart.lines) {
      const point = nearest(line.points, at[0]);
      if (Math.abs(point[0] - at[0]) < 6) tip.append(row(line.name, point[2], line.colour));
    }
    tip.hidden = false;
    const wanted = event.pageX + 16, room = scrollX + document.documentElement.clientWidth;
    tip.style.left = Math.max(0, Math.min(wanted, room - tip.offsetWidth - 8)) + "px";
    tip.style.top = event.pageY + 16 + "px";
  });
}
)js";

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += "<title>" + escape_html(title) + "</title>\n<style>";
  html += style;
  html += "</style>\n</head>\n<body>\n" + body;
  html += "<div id=\"tip\" hidden></div>\n<script>";
  html += script;
  return html + "</script>\n</body>\n</html>\n";
}

}  // namespace scion
