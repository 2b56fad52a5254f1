"""Hold recordings of vLLM's scheduler against ours, step by step, and count what they show.

    python -m scripts.vllm.compare RECORDING [RECORDING ...]

RECORDING is a NAME.vllm.jsonl of record.py (the case NAME.json lies beside it), or a folder of them. Ends with 1 where
anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from scripts.vllm.replay import differences, load
from scripts.vllm.witnesses import RULES, watch

MOST_TOLD = 20


def recordings(paths: list[Path]) -> list[Path]:
    """The recordings that are named, and those in the folders that are named."""
    return [file for path in paths for file in (sorted(path.glob("*.vllm.jsonl")) if path.is_dir() else [path])]


def main() -> int:
    """Compare all; 1 if any differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING")
    parser.add_argument("--rules", action="store_true", help="also how often each rule was seen at work")
    arguments = parser.parse_args()
    totals: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    wrong = 0
    for path in recordings(arguments.recordings):
        recording = load(path)
        totals.update(cases=1, steps=len(recording.steps))
        found: list[object] = list(differences(recording))
        try:
            watcher = watch(recording.case, recording.steps)
        except AssertionError as error:
            found.append(f"the recording itself: {error}")
        else:
            totals.update(watcher.totals)
            seen += watcher.seen
        wrong += bool(found)
        if found and wrong <= MOST_TOLD:
            print(f"{recording.name}: " + "\n    ".join(map(str, found)))
    print(", ".join(f"{count} {name}" for name, count in totals.items()))
    if arguments.rules:
        print("\n".join(f"{seen[rule]:8} {rule}" for rule in RULES))
    print(f"{wrong} cases differ" if wrong else "no difference")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
