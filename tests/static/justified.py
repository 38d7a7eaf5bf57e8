"""The findings of analysers that stay (justified.txt)."""


class Entry:
    """One justified finding. It names the text of the line, not its number."""

    def __init__(self, number, line):
        parts = [p.strip() for p in line.split(" | ")]
        if len(parts) != 3 or len(parts[0].split()) != 3 or not parts[1] or len(parts[2].split()) < 4:
            raise ValueError(f"justified.txt:{number}: TOOL CHECK FILE | a part of the line | the reason: {line}")
        self.tool, self.check, self.file = parts[0].split()
        self.text, self.reason, self.number, self.used = parts[1], parts[2], number, False

    def meets(self, tool, finding, line):
        path, _, check, _ = finding
        return (self.tool, self.check, self.file) == (tool, check, path) and self.text in line


def entries_read(path):
    with open(path, encoding="utf-8") as f:
        return [Entry(n, line.strip()) for n, line in enumerate(f, 1) if line.strip() and not line.startswith("#")]


def judge(found, entries, tool, line_of):
    """Findings that no entry justifies, and entries that no finding needs."""
    left = []
    for finding in found:
        meeting = [e for e in entries if e.meets(tool, finding, line_of(*finding[:2]))]
        for entry in meeting:
            entry.used = True
        if not meeting:
            left.append(finding)
    return left, [e for e in entries if e.tool == tool and not e.used]
