"""Edits a deploy list with another editor, and says how long that takes.

    python peers.py <ruamel.yaml|PyYAML> <list.yaml> <changes.json> <result.yaml>

Measured is text to text in this process: reading, editing and writing, no files. Prints the median and
the shortest run in nanoseconds, the number of runs and the peak of this process's memory in KiB.
"""

import io
import json
import statistics
import sys
import time

import ruamel.yaml
import yaml
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

# The same limits as in src/main.rs, in seconds.
MOST_RUNS = 301
FEWEST_RUNS = 3
ENOUGH = 1.0
TOO_LONG = 6.0


def edit(entries, changes, entry, value):
    """Makes the changes, whose indexes are those of the list as it is read, the last first."""
    for change in changes:
        index = change["index"]
        if change["op"] == "update":
            for key, text in change["fields"]:
                entries[index][key] = value(text)
        elif change["op"] == "insert":
            entries.insert(index, entry((key, value(text)) for key, text in change["fields"]))
        else:
            del entries[index]


def with_ruamel(text, changes):
    """Round trip: comments and quotes are kept, and no line is folded."""
    editor = ruamel.yaml.YAML(typ="rt")
    editor.preserve_quotes = True
    editor.width = 1 << 20
    entries = editor.load(text)
    edit(entries, changes, ruamel.yaml.CommentedMap, DoubleQuotedScalarString)
    out = io.StringIO()
    editor.dump(entries, out)
    return out.getvalue()


def with_pyyaml(text, changes):
    """libyaml's reader and writer, which PyYAML's wheels carry; comments are not its business."""
    entries = yaml.load(text, Loader=yaml.CSafeLoader)
    edit(entries, changes, dict, str)
    return yaml.dump(
        entries, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1 << 20
    )


def peak():
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    tool, list_path, changes_path, result_path = sys.argv[1:]
    work = {"ruamel.yaml": with_ruamel, "PyYAML": with_pyyaml}[tool]
    with open(list_path, encoding="utf-8", newline="") as file:
        text = file.read()
    with open(changes_path, encoding="utf-8") as file:
        changes = json.load(file)
    times = []
    start = time.perf_counter_ns()
    while True:
        begin = time.perf_counter_ns()
        result = work(text, changes)
        end = time.perf_counter_ns()
        times.append(end - begin)
        if len(times) == 1:
            with open(result_path, "w", encoding="utf-8", newline="") as file:
                file.write(result)
        total = (end - start) / 1e9
        is_enough = len(times) >= FEWEST_RUNS and total > ENOUGH
        if is_enough or len(times) == MOST_RUNS or total > TOO_LONG:
            break
    print(int(statistics.median(times)), min(times), len(times), peak())


main()
