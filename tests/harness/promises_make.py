"""Makes tests/PROMISES.md; tests/promises calls it."""
import argparse
import json
import os
import sys

from harness import promises


def keep(path, lines):
    """Adds lines that are not among the records."""
    have = set()
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            have = set(f.read().splitlines())
    with open(path, "a", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in map(json.dumps, lines) if line not in have)


def main(argv):
    arguments = argparse.ArgumentParser(prog="tests/promises")
    arguments.add_argument("--top", required=True, help=argparse.SUPPRESS)
    arguments.add_argument("--records")
    arguments.add_argument("--soak", action="append", default=[])
    arguments.add_argument("--show", action="store_true")
    options = arguments.parse_args(argv)
    records = options.records or os.path.join(options.top, "build-tests", "promises.jsonl")
    for path in options.soak:
        os.makedirs(os.path.dirname(os.path.abspath(records)), exist_ok=True)
        keep(records, promises.soak_records(path))
    text = promises.render(promises.cases(options.top), promises.read_records([records]))
    if options.show:
        sys.stdout.write(text)
    else:
        with open(os.path.join(options.top, "tests", "PROMISES.md"), "w", encoding="utf-8") as f:
            f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
