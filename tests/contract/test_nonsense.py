"""Input that nobody should give: exit code 2 and one sentence, which names the field, the value and what is valid."""

import random
import time
from pathlib import Path

import pytest

from tests.contract.program import Answer, lines_of, vizkv

HEAD = 'slots = 128\nmax_model_len = 64\nmodel = "none"\n'
SYSTEM = '[[systems]]\nkind = "paged"\n'
REQUEST = "[[requests]]\nprompt_tokens = 5\noutput_tokens = 6\n"
CSV = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
TYPES = ['"x"', "nan", "inf", "-1", "1.5", "[]", "{}", "1979-05-27", "1" + "0" * 5000, "10_000_000_000"]


def run(tmp_path: Path, content: str | bytes, name: str = "given.toml") -> Answer:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    start = time.monotonic()
    answer = vizkv("run", str(file))
    assert time.monotonic() - start < 20
    return answer


def is_one_sentence(answer: Answer, *words: str) -> None:
    assert (answer.code, answer.out) == (2, ""), answer
    assert answer.err.startswith("vizkv") and answer.err.endswith("\n")
    assert len(answer.err.splitlines()) == 1 and len(answer.err) < 800
    assert answer.err.isprintable() or answer.err[:-1].isprintable()
    for word in words:
        assert word in answer.err, answer.err


@pytest.mark.parametrize("value", TYPES)
@pytest.mark.parametrize(
    "place",
    [
        "slots = {}\n" + SYSTEM + REQUEST,
        HEAD + "max_num_batched_tokens = {}\n" + SYSTEM + REQUEST,
        HEAD + SYSTEM + "block_size = {}\n" + REQUEST,
        HEAD + '[[systems]]\nkind = "contiguous"\nunit = {}\n' + REQUEST,
        HEAD + SYSTEM + "[[requests]]\nprompt_tokens = {}\noutput_tokens = 2\n",
        HEAD + SYSTEM + REQUEST + "arrival_step = {}\n",
        HEAD + SYSTEM + "[[requests]]\nprompt_token_ids = [1, {}]\noutput_tokens = 2\n",
        HEAD + "systems = {}\n" + REQUEST,
    ],
    ids=["slots", "max_num_batched_tokens", "block_size", "unit", "prompt_tokens", "arrival_step", "ids", "systems"],
)
def test_values_of_the_wrong_kind(tmp_path: Path, place: str, value: str) -> None:
    field = next(name for name in place.split() if place.split(name)[1].startswith((" = {}", " = [1, {}]")))
    is_one_sentence(run(tmp_path, place.replace("{}", value, 1)), field if len(value) < 100 else "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["systems"]),
        (HEAD + SYSTEM, ["zero requests"]),
        (HEAD + REQUEST, ["systems"]),
        (bytes(range(256)) * 10, ["not text"]),
        ((HEAD + SYSTEM + REQUEST).encode("utf-16"), ["not text"]),
        (HEAD.encode() + b"\0", ["TOML"]),
        ("slots = \n", ["TOML"]),
        ("a = " + "[" * 5000 + "]" * 5000, ["nested too deeply"]),
        ("a." * 5000 + "b = 1", ["16 parts"]),
        (HEAD + '"schl\\u00fcssel\\n\\u0000" = 1\n' + SYSTEM + REQUEST, ["schlüssel", "unknown"]),
        (HEAD + SYSTEM + "blocksize = 4\n" + REQUEST, ["blocksize", "4", "block_size"]),
        (HEAD + SYSTEM + "block_size = 129\n" + REQUEST, ["block_size", "129", "1 to 128"]),
        (HEAD + SYSTEM + "block_size = 128\nnull_block = true\n" + REQUEST, ["block_size", "128", "1 to 64"]),
        (HEAD + SYSTEM * 13 + REQUEST, ["systems", "1 to 12"]),
        (HEAD + SYSTEM + (REQUEST + 'id = "x"\n') * 2, ["'x'"]),
        (HEAD + SYSTEM + REQUEST + "samples = 65\n", ["samples", "65"]),
        (HEAD + SYSTEM + REQUEST + "samples = 2\nbeam_width = 2\n", ["samples", "beam_width"]),
        (HEAD + SYSTEM + REQUEST + "arrival_step = 10_000_000\n", ["arrival_step", "10000000", "1000000"]),
        (HEAD + SYSTEM * 12 + REQUEST + "arrival_step = 1_000_000\n", ["arrival_step", "1000000", "199999"]),
        ('slots = 128\nmodel = "/nonexistent"\n' + SYSTEM + REQUEST, ["model", "'/nonexistent'", "a GGUF file"]),
        ("slots = 128\n" + SYSTEM + "[[requests]]\nprompt = 'hello'\noutput_token_ids = [1, 4096]\n", ["4096", "4095"]),
    ],
)
def test_whole_files_of_nonsense(tmp_path: Path, content: str | bytes, words: list[str]) -> None:
    is_one_sentence(run(tmp_path, content), *words)


@pytest.mark.parametrize("name", ["a\0b.toml", "a\0b.vizkv", "missing.toml", "missing.vizkv", ".", "folder.vizkv"])
def test_files_that_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.vizkv").mkdir()
    is_one_sentence(vizkv("run", str(tmp_path / name)))


@pytest.mark.parametrize("place", ["", "none/x.vizkv", "a\0b.vizkv"])
def test_places_where_nothing_can_be_saved(tmp_path: Path, place: str) -> None:
    file = tmp_path / "given.toml"
    file.write_text(HEAD + SYSTEM + REQUEST)
    is_one_sentence(vizkv("run", str(file), "--save", str(tmp_path / place)), "cannot be saved")


@pytest.mark.parametrize("steps", ["x", "5:2", "1", "²:3", "1:2:3", "9" * 5000 + ":"])
def test_steps_that_are_none(tmp_path: Path, steps: str) -> None:
    file = tmp_path / "given.toml"
    file.write_text(HEAD + SYSTEM + REQUEST)
    is_one_sentence(vizkv("run", str(file), "--steps", steps), "A:B" if steps != "5:2" else "'5:2'")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["empty"]),
        (CSV, ["zero requests"]),
        ("a,b,c\n1,2,3\n", ["TIMESTAMP"]),
        (CSV + "0,-1,2\n", ["line 2", "ContextTokens", "-1"]),
        (CSV + "0,5,2\n0,1.5,2\n", ["line 3", "ContextTokens", "1.5"]),
        (CSV + "nan,1,2\n", ["TIMESTAMP", "nan"]),
        (CSV + "0,1\n", ["2 cells"]),
        (CSV + '0,"1,2\n', ["line 2"]),
        (CSV + "0," + "9" * 200_000 + ",2\n", ["line 2"]),
        (bytes(range(256)), ["binary"]),
        ("{", ["line 1", "JSON"]),
        ('{"timestamp": 1}', ["no field input_length", "mooncake"]),
        ('{"timestamp": NaN, "input_length": 1, "output_length": 2}', ["timestamp", "nan"]),
        ('{"timestamp": 0, "input_length": true, "output_length": 2}', ["input_length", "true"]),
        ('{"timestamp": 0, "input_length": ' + "9" * 6000 + ', "output_length": 2}', ["line 1"]),
        ('{"timestamp": 0, "input_length": 5, "output_length": 2, "hash_ids": [null]}', ["hash_ids"]),
    ],
)
def test_workload_files_that_are_broken(tmp_path: Path, content: str | bytes, words: list[str]) -> None:
    (tmp_path / "load").write_bytes(content if isinstance(content, bytes) else content.encode())
    load = '[workload]\nlengths = "load"\narrivals = "trace"\n'
    is_one_sentence(run(tmp_path, HEAD + SYSTEM + load), "load", *words)


@pytest.mark.parametrize(
    "content",
    [
        'slots = 1\nmax_model_len = 1\nmodel = "none"\n[[systems]]\nkind = "contiguous"\nunit = 1\n'
        "[[requests]]\nprompt_tokens = 1\noutput_tokens = 1\n",
        HEAD + "max_num_batched_tokens = 1\n" + SYSTEM + REQUEST,
        HEAD + SYSTEM * 12 + REQUEST,
        "\ufeff" + HEAD + SYSTEM + REQUEST,
        HEAD + 'name = "日本語 ☃"\n' + SYSTEM + REQUEST + 'id = "é"\n',
        "slots = 256\n" + SYSTEM + '[[requests]]\nprompt = "   "\noutput_tokens = 4\n',
        "slots = 256\n" + SYSTEM + '[[requests]]\nprompt = "☃ 日本語 \\u0001"\noutput_tokens = 4\n',
    ],
    ids=["one slot", "budget 1", "12 systems", "byte order mark", "unicode", "spaces", "unknown characters"],
)
def test_what_is_odd_and_yet_valid_runs(tmp_path: Path, content: str) -> None:
    answer = run(tmp_path, content)
    assert (answer.code, answer.err) == (0, ""), answer


@pytest.mark.parametrize("prompt", [65, 500])
def test_a_request_that_can_never_run_is_reported_in_both_outputs(tmp_path: Path, prompt: int) -> None:
    content = HEAD + SYSTEM + REQUEST + f'[[requests]]\nid = "long"\nprompt_tokens = {prompt}\noutput_tokens = 2\n'
    assert "1 request of PagedAttention" in run(tmp_path, content).out
    lines, summary = lines_of(tmp_path / "given.toml")
    assert summary["PagedAttention"]["never"] == 1
    assert [event["request"] for line in lines for event in line["events"] if event["kind"] == "never"] == ["long"]


def test_damaged_traces(tmp_path: Path) -> None:
    """Cut, changed, spliced: the run that was saved, or one sentence."""
    file, saved = tmp_path / "given.toml", tmp_path / "saved.vizkv"
    file.write_text(HEAD + SYSTEM + REQUEST)
    whole = vizkv("run", str(file), "--save", str(saved)).out
    good, pick = saved.read_bytes(), random.Random(7)
    for turn in range(150):
        bad = bytearray(good)
        if turn % 3 == 0:
            del bad[pick.randrange(len(bad)) :]
        elif turn % 3 == 1:
            del bad[(at := pick.randrange(len(bad))) : at + pick.randrange(1, 30)]
        for _ in range(turn % 4):
            if bad:
                bad[pick.randrange(len(bad))] = pick.randrange(256)
        saved.write_bytes(bad)
        answer = vizkv("run", str(saved))
        if answer.code == 0:
            assert answer.out == whole
        else:
            is_one_sentence(answer)
