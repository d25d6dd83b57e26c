#!/usr/bin/env python3
"""Draws docs/an4.svg from the frozen report of the AN4 study:
  scripts/draw_an4.py recipes/an4/report-confirm-2026-11-25.txt > docs/an4.svg

Reads the table "clean (full)" of the section "Word error rates": a mean and a sample standard
deviation over runs for every arm and evaluated epoch. Standard library only.
"""

import math
import re
import sys

LINES = [  # arm in the report, label, style class; drawn in this order
    ("random", "random weights", "random"),
    ("paper", "selected, paper's rule", "paper"),
    ("best", "selected, default rule", "best"),
]
WIDTH, HEIGHT = 760, 380
LEFT, RIGHT, TOP, BOTTOM = 58, 190, 44, 48
LOWEST, HIGHEST, LAST_EPOCH = 7, 100, 20


def read_table(path):
    """Returns {arm: [(epoch, mean, deviation), ...]}."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    begin = lines.index("clean (full)", lines.index("== Word error rates =="))
    epochs = [int(word) for word in re.findall(r"\b\d+\b", lines[begin + 1])]
    arms = {}
    for line in lines[begin + 2 :]:
        if not line:
            break
        cells = re.findall(r"([\d.]+) ± ([\d.]+)", line)
        name = line.split("  ")[0]
        arms[name] = [(e, float(m), float(d)) for e, (m, d) in zip(epochs, cells)]
    return arms


def x(epoch):
    return LEFT + (WIDTH - LEFT - RIGHT) * epoch / LAST_EPOCH


def y(wer):
    share = math.log(min(max(wer, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share


def points(pairs):
    return " ".join(f"{x(epoch):.1f},{y(wer):.1f}" for epoch, wer in pairs)


def draw(arms):
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" '
        'aria-label="Word error rate over epochs of training, random and selected start">',
        "<style>",
        "text { font: 13px system-ui, sans-serif; fill: #333 }",
        ".title { font-weight: 600; font-size: 14px }",
        ".grid { stroke: #8884; stroke-width: 1 }",
        ".line { fill: none; stroke-width: 2.5; stroke-linejoin: round }",
        ".band { opacity: .18; stroke: none }",
        ".random { stroke: #777; fill: #777 } .paper { stroke: #2a78c2; fill: #2a78c2 }",
        ".best { stroke: #d2571b; fill: #d2571b } text.random, text.paper, text.best { stroke: none }",
        ".line.random, .line.paper, .line.best { fill: none }",
        "@media (prefers-color-scheme: dark) { text { fill: #ddd } }",
        "</style>",
        f'<text class="title" x="{LEFT}" y="22">AN4 test set: WER in % (logarithmic), '
        "mean ± standard deviation over runs</text>",
    ]
    for wer in (10, 20, 50, 100):
        out.append(f'<path class="grid" d="M{LEFT} {y(wer):.1f}H{WIDTH - RIGHT}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(wer) + 4:.1f}" text-anchor="end">{wer}</text>')
    for epoch in (1, 4, 8, 12, 16, 20):
        out.append(
            f'<text x="{x(epoch):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{epoch}</text>'
        )
    out.append(
        f'<text x="{x(LAST_EPOCH / 2):.1f}" y="{HEIGHT - 8}" text-anchor="middle">epoch</text>'
    )
    label_y = -math.inf
    for arm, label, style in LINES:
        curve = arms[arm]
        edge = [(e, m + d) for e, m, d in curve] + [(e, m - d) for e, m, d in reversed(curve)]
        out.append(f'<polygon class="band {style}" points="{points(edge)}"/>')
        mean = [(e, m) for e, m, _ in curve]
        out.append(f'<polyline class="line {style}" points="{points(mean)}"/>')
        for epoch, wer in mean:
            out.append(f'<circle class="{style}" cx="{x(epoch):.1f}" cy="{y(wer):.1f}" r="3"/>')
        label_y = max(y(mean[-1][1]) + 4, label_y + 16)  # labels do not overlap
        out.append(
            f'<text class="{style}" x="{x(LAST_EPOCH) + 10:.1f}" y="{label_y:.1f}">'
            f"{label}: {mean[-1][1]}</text>"
        )
    out.append("</svg>")
    return "\n".join(out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: scripts/draw_an4.py REPORT > docs/an4.svg")
    print(draw(read_table(sys.argv[1])))
