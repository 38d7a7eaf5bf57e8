"""Makes tests/PROMISES.md; tests/promises calls it."""
import argparse
import importlib
import json
import os
import sys

from harness import case, fuzz, promises


def keep(path, lines):
    """Adds lines that are not among the records."""
    have = set()
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            have = set(f.read().splitlines())
    with open(path, "a", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in map(json.dumps, lines) if line not in have)


def print_names(top):
    """A line for each functional test and check of the ordinary build."""
    for folder in ("functional", "checks"):
        for file in sorted(os.listdir(os.path.join(top, "tests", folder))):
            if file.endswith(".py") and not file.startswith("_"):
                case.CASES.clear()
                module = f"{folder}.{file[:-3]}"
                importlib.import_module(module)
                for one in case.CASES:
                    if "gcc" in one.builds:
                        print(f"{case.prefix(module)}/{one.name}")


def main(argv):
    arguments = argparse.ArgumentParser(prog="tests/promises")
    arguments.add_argument("--top", required=True, help=argparse.SUPPRESS)
    arguments.add_argument("--records")
    arguments.add_argument("--soak", action="append", default=[])
    arguments.add_argument("--show", action="store_true")
    arguments.add_argument("--names", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args(argv)
    if options.names:
        print_names(options.top)
        return 0
    records = options.records or os.path.join(options.top, "build-tests", "promises.jsonl")
    os.makedirs(os.path.dirname(os.path.abspath(records)), exist_ok=True)
    for path in options.soak:
        keep(records, promises.soak_records(path))
    keep(records, promises.fuzz_records(fuzz.load(options.top)))
    published = os.path.join(options.top, "tests", "PROMISES.md")
    with open(published, encoding="utf-8") as f:
        before = promises.figures(f.read())
    text = promises.render(promises.cases(options.top), promises.read_records([records]), before)
    if options.show:
        sys.stdout.write(text)
    else:
        with open(published, "w", encoding="utf-8") as f:
            f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
