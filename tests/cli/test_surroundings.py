"""The command line where little is as it should be: closed streams, narrow character sets, no memory, odd files."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vizkv import cli

TOML = """
slots = 128
max_model_len = 64
model = "none"
[[systems]]
kind = "paged"
[[requests]]
prompt_tokens = 5
output_tokens = 6
"""
LONG = "n" * 5000


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(TOML)
    return path


def shell(line: str, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in which $VIZKV is the program and "$@" are ``words``."""
    command = ["bash", "-c", line.replace("$VIZKV", f"{sys.executable} -m vizkv"), "bash", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=120)


def one_sentence(err: str, *says: str) -> None:
    """What standard error has: one line, which says all that."""
    assert err.startswith("vizkv") and err.count("\n") == 1 and len(err) < 800
    for word in says:
        assert word in err


# ---- closed streams ----


@pytest.mark.parametrize("words", ["run", "run --json", "--help"])
def test_a_closed_standard_output_is_one_sentence(words, file):
    done = shell(f'$VIZKV {words} "$@" >&-', *([file] if words.startswith("run") else []))
    assert done.returncode == cli.BAD_INPUT
    one_sentence(done.stderr, "The output cannot be written: Bad file descriptor.")


def test_the_file_that_is_saved_does_not_take_the_place_of_a_closed_output(file, tmp_path):
    whole, closed = tmp_path / "whole.vizkv", tmp_path / "closed.vizkv"
    assert shell('$VIZKV run "$1" --save "$2"', file, whole).returncode == 0
    shell('$VIZKV run "$1" --save "$2" >&- 2>&-', file, closed)
    assert closed.read_bytes() == whole.read_bytes()


def test_without_a_standard_error_the_complaint_is_not_printed_among_the_results(file):
    done = shell('$VIZKV run "$1"x 2>&-', file)
    assert (done.returncode, done.stdout) == (cli.BAD_INPUT, "")


@pytest.mark.parametrize(
    ("words", "stream", "code"),
    [
        ("run FILE --json", "stdout", cli.PIPE_CLOSED), ("--help", "stdout", cli.PIPE_CLOSED),
        ("run FILEx", "stderr", cli.BAD_INPUT), ("--frob", "stderr", cli.BAD_INPUT),
    ],
)  # fmt: skip
def test_a_reader_that_has_gone_ends_the_program_silently(words, stream, code, file):
    read, write = os.pipe()
    os.close(read)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: write}
    done = subprocess.run([sys.executable, "-m", "vizkv", *words.replace("FILE", str(file)).split()], **streams)
    os.close(write)
    assert (done.returncode, done.stdout or b"", done.stderr or b"") == (code, b"", b"")


# ---- character sets ----


NARROW = [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}]


@pytest.mark.parametrize(
    ("words", "environment"), [('run "$1"', NARROW[0]), ("--help", NARROW[1]), ("frob", NARROW[2]), ("", NARROW[2])]
)
def test_chinese_in_a_character_set_without_it_is_one_sentence(words, environment, file):
    done = shell(f"$VIZKV {words} --language zh", file, PYTHONCOERCECLOCALE="0", **environment)
    assert (done.returncode, done.stdout) == (cli.BAD_INPUT, "")
    one_sentence(done.stderr, "The language is 'zh'", "UTF-8")


def test_where_nobody_asked_for_chinese_a_narrow_output_is_in_english(file):
    done = shell('$VIZKV run "$1"', file, LANG="zh_CN.UTF-8", LC_ALL="", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "") and "PagedAttention" in done.stdout


def test_json_and_tables_have_escapes_for_what_a_character_set_lacks(file):
    file.write_text(TOML.replace('kind = "paged"', 'kind = "paged"\nname = "块 é 😀"'))
    told = shell('$VIZKV run "$1" --json', file, PYTHONIOENCODING="latin-1")
    assert told.returncode == 0, told.stderr
    assert {json.loads(line).get("system", "块 é 😀") for line in told.stdout.splitlines()} == {"块 é 😀"}
    table = shell('$VIZKV run "$1"', file, PYTHONIOENCODING="ascii")
    assert (table.returncode, table.stderr) == (0, "") and "\\u5757" in table.stdout


# ---- memory ----


@pytest.mark.parametrize("kib", [50_000, 120_000, 150_000])
def test_too_little_memory_to_start_is_one_sentence(kib, file):
    done = shell(f'ulimit -v {kib}; $VIZKV run "$1"', file)
    assert done.returncode == cli.BAD_INPUT and done.stdout == ""
    one_sentence(done.stderr, "too little memory")


def test_a_limit_under_which_a_run_without_a_model_fits_is_no_hindrance(file):
    done = shell('ulimit -v 260000; $VIZKV run "$1"', file)
    assert (done.returncode, done.stderr) == (0, "") and "PagedAttention" in done.stdout


@pytest.mark.parametrize("kib", [300_000, 500_000, 650_000])
def test_too_little_memory_for_a_model_is_one_sentence(kib, file):
    file.write_text(TOML.replace('"none"', '"tiny"'))
    done = shell(f'ulimit -v {kib}; $VIZKV run "$1"', file)
    assert (done.returncode, done.stdout) == (cli.BAD_INPUT, "")
    one_sentence(done.stderr, "A model needs about 600 MiB", 'model = "none"')


def test_memory_that_runs_out_in_the_middle_is_one_sentence(file):
    file.write_text(TOML.replace("slots = 128", "slots = 2000000").replace('"none"', '"tiny"'))  # 4 GiB of K and V
    done = shell('ulimit -v 1500000; $VIZKV run "$1"', file)
    assert (done.returncode, done.stdout) == (cli.BAD_INPUT, "")
    one_sentence(done.stderr, "memory")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(), OSError(12, "Cannot allocate memory"), RuntimeError("can't start new thread"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: 8388608 bytes."),
    ],
)  # fmt: skip
def test_each_library_s_word_for_too_little_memory_is_known(error, file, monkeypatch, capsys):
    def run(*_, **__):
        try:
            raise error
        except Exception as first:
            raise RuntimeError("something else") from first

    monkeypatch.setattr("vizkv.engine.engine.run", run)
    assert cli.main(["run", str(file)]) == cli.BAD_INPUT
    one_sentence(capsys.readouterr().err, "more memory than this process may use")


def test_an_error_of_the_program_itself_is_still_raised(file, monkeypatch):
    def run(*_, **__):
        raise RuntimeError("something else")

    monkeypatch.setattr("vizkv.engine.engine.run", run)
    with pytest.raises(RuntimeError, match="something else"):
        cli.main(["run", str(file)])


# ---- files that are none ----


@pytest.fixture(params=["pipe", "socket", "device", "folder"])
def odd(request, tmp_path, monkeypatch):
    """Something that can be opened by name and is no file; (its name, what is said of it)."""
    monkeypatch.chdir(tmp_path)  # a socket's name may be short only
    place = Path("odd.toml")
    if request.param == "pipe":
        os.mkfifo(place)
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(place))
    elif request.param == "device":
        place.symlink_to("/dev/zero")
    else:
        place.mkdir()
    return place, "Is a directory" if request.param == "folder" else "it is a pipe, a device or a socket"


@pytest.mark.parametrize(
    "words",
    ["run {}", "run {}.vizkv", "export {}", "export {}.vizkv", "sweep {} --vary slots=64", "cache {}", "deck {}"],
)
def test_only_a_regular_file_is_read(words, odd, capsys):
    place, why = odd
    if ".vizkv" in words:
        place = place.rename("odd")
        place.rename("odd.vizkv")
    assert cli.main(words.format(place).split()) == cli.BAD_INPUT
    one_sentence(capsys.readouterr().err, "cannot be read", why)


def test_a_recorded_workload_that_is_a_pipe_is_refused(file, capsys):
    os.mkfifo(file.with_name("trace.csv"))
    file.write_text('slots = 64\nmodel = "none"\n[[systems]]\nkind = "paged"\n[workload]\nlengths = "trace.csv"\n')
    assert cli.main(["run", str(file)]) == cli.BAD_INPUT
    one_sentence(capsys.readouterr().err, "workload.lengths is 'trace.csv'")


# ---- values of thousands of letters ----


@pytest.mark.parametrize(
    "words",
    [
        f"run {LONG}", f"run {LONG}.vizkv", f"export {LONG}", f"deck {LONG}", f"cache {LONG}", f"run x --steps {LONG}",
        f"run x --{LONG}", f"export x --lens {LONG}", f"export x --what {LONG}", f"export x --mark {LONG}",
        f"export x --rate {LONG}", f"sweep x --vary {LONG}", f"sweep x --vary {LONG}=1", f"sweep x --vary a={LONG}",
        f"sweep x --metric {LONG} --vary a=1", f"sweep x --jobs {LONG} --vary a=1",
        f"sweep x --seeds {LONG} --vary a=1",
        f"deck -o {LONG}.pptx", f"deck -o {LONG}.txt", LONG, f"model add {LONG}", f"cost --csv {LONG}",
        f"cost --chart {LONG}.svg", f"--language {LONG}", "run FILE --save {LONG}", f"export FILE -o {LONG}.svg",
        f"export FILE --request {LONG}", f"export FILE --format {LONG}",
        f"sweep FILE --cluster {LONG} --vary max_num_seqs=1", f"cache FILE --chart {LONG}.svg",
    ],
    ids=lambda words: words.replace(LONG, "LONG"),
)  # fmt: skip
def test_a_value_of_thousands_of_letters_is_shortened_where_it_is_quoted(words, file, capsys):
    try:
        code = cli.main([word.replace("FILE", str(file)).replace("{LONG}", LONG) for word in words.split()])
    except SystemExit as left:
        code = left.code
    assert code == cli.BAD_INPUT
    one_sentence(capsys.readouterr().err)


@pytest.mark.parametrize("field", ["lengths = '{}'", "arrivals = '{}'"])
def test_a_field_of_a_workload_as_long_as_a_field_may_be_is_one_sentence(field, file, capsys):
    head = 'slots = 64\nmodel = "none"\n[[systems]]\nkind = "paged"\n[workload]\n'
    file.write_text(head + field.format("n" * 1000))
    assert cli.main(["run", str(file)]) == cli.BAD_INPUT
    one_sentence(capsys.readouterr().err)


def test_a_model_s_name_as_long_as_it_may_be_is_one_sentence(file, capsys):
    for name in ("n" * 1000, "~nobody/model"):
        file.write_text(TOML.replace('"none"', f'"{name}"'))
        assert cli.main(["run", str(file)]) == cli.BAD_INPUT
        one_sentence(capsys.readouterr().err, "There is no model ", f"{name[:20]}")
