"""Plots as SVG, from numbers alone: lines over a logarithmic scale, and bars. The same numbers give the same bytes."""
import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP = 860, 200, 40, 40
# Distinguishable to most who see colours differently; ctstub's are the two darkest, and its lines are thicker.
COLOURS = ("#000000", "#00549f", "#7a3e9d", "#e69f00", "#56b4e9", "#009e73", "#b8a800", "#d55e00", "#cc79a7", "#888888", "#a6761d", "#66a61e")


def text(x, y, words, anchor="start", size=12, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def line(x1, y1, x2, y2, colour="#cccccc", width=1.0):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width:g}"/>'


def figure(height, title, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
                      f'font-family="sans-serif" role="img">', f"<title>{escape(title)}</title>",
                      f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', text(20, 24, title, size=15), *parts, "</svg>", ""])


def decades(low, high):
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def short(value):
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def panel(top, height, title, series, unit):
    """series: (title, colour, width, [(x, y)]); both scales are logarithmic."""
    points = [p for _, _, _, ps in series for p in ps]
    xs, ys = sorted({x for x, _ in points}), [y for _, y in points]
    scale = decades(min(ys), max(ys))
    low, high = scale[0], max(scale[-1], scale[0] + 1)
    left, right = 90, WIDTH - 200
    first, last = math.log10(xs[0]), math.log10(xs[-1])

    def px(x):
        return left + (math.log10(x) - first) / max(last - first, 1e-9) * (right - left)

    def py(y):
        return top + height - (math.log10(y) - low) / (high - low) * height
    out = [text(left, top - 8, title, size=13)]
    for e in range(low, high + 1):
        out += [line(left, py(10 ** e), right, py(10 ** e)), text(left - 8, py(10 ** e) + 4, f"{short(10 ** e)} {unit}", "end")]
    for x in xs:
        out += [line(px(x), top, px(x), top + height), text(px(x), top + height + 18, f"{short(x)}/s", "middle")]
    for _, colour, width, ps in series:
        path = " ".join(f"{'M' if i == 0 else 'L'}{px(x):.1f},{py(y):.1f}" for i, (x, y) in enumerate(ps))
        out.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>')
        out += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3" fill="{colour}"/>' for x, y in ps]
    return out


def latencies(title, panels):
    """panels: (title, [(name, is_ours, [(rate, microseconds)])]), one below the other, with one legend."""
    names = list(dict.fromkeys(name for _, series in panels for name, _, _ in series))
    colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    out, height = [], 260
    for i, (panel_title, series) in enumerate(panels):
        rows = [(name, colour[name], 3.0 if ours else 1.5, points) for name, ours, points in series if points]
        if rows:
            out += panel(70 + i * (height + 70), height, panel_title, rows, "us")
    for i, name in enumerate(names):
        y = 80 + i * 20
        out += [line(WIDTH - 180, y, WIDTH - 160, y, colour[name], 3.0), text(WIDTH - 152, y + 4, name)]
    return figure(80 + len(panels) * (height + 70), title, out)


def bars(title, unit, groups):
    """groups: (title, [(name, is_ours, [(part, value)])]): one bar a name, its parts beside each other."""
    out, y = [], TOP + 20
    for group, rows in groups:
        rows = [row for row in rows if row[2]]
        most = max((sum(v for _, v in parts) for _, _, parts in rows), default=1)
        out.append(text(20, y, group, size=13))
        y += 10
        for name, ours, parts in rows:
            x = float(LEFT)
            out.append(text(LEFT - 8, y + 14, name, "end", more=' font-weight="bold"' if ours else ""))
            for i, (_, value) in enumerate(parts):
                wide = value / most * (WIDTH - LEFT - RIGHT - 90)
                shade = ("#00549f", "#9dbfe0") if ours else ("#777777", "#cccccc")
                out.append(f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="18" fill="{shade[i % 2]}"/>')
                x += wide
            out.append(text(x + 6, y + 14, f"{sum(v for _, v in parts):.2f} {unit}"))
            y += 24
        y += 26
    return figure(y, title, out)
