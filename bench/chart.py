"""Results as a picture: a panel for each case, a bar for each server. Plain SVG, nothing to install."""
from xml.sax.saxutils import escape

PANEL_WIDTH, BAR_HEIGHT, LABEL_WIDTH, VALUE_WIDTH, TITLE_HEIGHT, GAP = 760, 22, 150, 110, 44, 18
WHAT = {"throughput": ("messages_per_s", "messages/s"), "idle": ("kib_per_connection", "KiB each (less is better)"),
        "backlog": ("drain_per_s", "messages/s drained")}


def panel(case, results, titles, top):
    key, unit = WHAT[case.kind]
    rows = [(titles[name], row[key]) for name, row in results.items() if row.get(key) is not None]
    most = max((value for _, value in rows), default=0) or 1
    room = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH
    out = [f'<text x="10" y="{top + 20}" class="title">{escape(case.name)}: {escape(case.title)}</text>',
           f'<text x="10" y="{top + 36}" class="unit">{escape(unit)}</text>']
    for number, (title, value) in enumerate(rows):
        y = top + TITLE_HEIGHT + number * BAR_HEIGHT
        width = max(1, room * value / most)
        kind = "own" if title == "tapal" else "other"
        digits = 1 if value < 100 else 0
        out += [f'<text x="{LABEL_WIDTH - 8}" y="{y + 15}" class="name">{escape(title)}</text>',
                f'<rect x="{LABEL_WIDTH}" y="{y + 2}" width="{width:.1f}" height="{BAR_HEIGHT - 4}" class="{kind}"/>',
                f'<text x="{LABEL_WIDTH + width + 6:.1f}" y="{y + 15}">{value:.{digits}f}</text>']
    return out, top + TITLE_HEIGHT + len(rows) * BAR_HEIGHT + GAP


def chart(measured, titles, heading):
    """`measured`: (case, results by server) for each case; the SVG's text."""
    parts, top = [], 40
    for case, results in measured:
        drawn, top = panel(case, results, titles, top)
        parts += drawn
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PANEL_WIDTH}" height="{top}" font-family="sans-serif" font-size="12">',
        "<style>.title{font-weight:bold;font-size:13px}.unit{fill:#666}.name{text-anchor:end}.own{fill:#c2410c}"
        ".other{fill:#94a3b8}</style>", f'<rect width="{PANEL_WIDTH}" height="{top}" fill="white"/>',
        f'<text x="10" y="22" font-size="14">{escape(heading)}</text>', *parts, "</svg>"]) + "\n"
