"""Why a file cannot be read is said by us, in every language: its reader's own English words stay out."""

import csv
import io
import json
import re
import struct
import tomllib

import pytest

from vizkv.lecture import script
from vizkv.messages import messages
from vizkv.reasons import reason
from vizkv.scenario import ScenarioError, from_toml
from vizkv.told import Told, joined
from vizkv.workload import recorded

OURS = {"TOML", "JSON", "CSV", "UTF", "true", "false", "null", "slots"}  # what is no English in a Chinese sentence
TOML = (
    "slots = x", "slots", "slots = ", "[slots", "[[slots]", "slots = 1\nslots = 2", "a=[1 2]", "a={b=1 c=2}",
    "a={b=1,b=2}", 'a="x', 'a="""x', 'a="\\q"', 'a="\\ud800"', 'a="\\uXY"', 'a="\x01"', "a='x\n'", "= 3", "slots = 8 9",
    "[a]\n[a]", "d=1999-02-31", "a={b=1}\na.c=2",
)  # fmt: skip
JSON = (
    "", "{", "{a}", '{"a" 1}', '{"a":1 "b"}', "[1 2]", "{} x", '"x', '"\\q"', '"\\uXYZ"', '"\x01"', "[1,]",
    '{"a":1,}', "tru",
)  # fmt: skip


def english(said: str) -> set[str]:
    """The words of a Chinese sentence that stand in no quotation marks and are no names."""
    return set(re.findall(r"[A-Za-z]{3,}", re.sub(r"'[^']*'|\"[^\"]*\"", "", said))) - OURS


@pytest.mark.parametrize("text", TOML)
def test_a_broken_toml_file_is_answered_with_the_place_and_what_is_wrong_there(text):
    for read in (from_toml, script.read):
        with pytest.raises(ScenarioError) as caught:
            read(text)
        assert re.search(r"line \d+, column \d+|at its end", str(caught.value))
        said = messages("zh").error(caught.value)
        assert re.search(r"第 \d+ 行第 \d+ 列|在文件末尾", said)
        assert english(said) == set(), said


@pytest.mark.parametrize("text", JSON)
def test_a_broken_json_file_is_answered_with_the_place_and_what_is_wrong_there(text):
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    said = messages("zh").error(reason(caught.value))
    assert re.match(r"第 1 行第 \d+ 列.*：", said)
    assert english(said) == set(), said


def test_what_stands_at_the_place_is_quoted():
    with pytest.raises(ScenarioError, match=r"line 2, column 9, at 'x': no value that TOML knows"):
        from_toml("# an x\r\nslots = x\r\n")


def test_a_reason_that_nobody_knows_names_the_place_alone():
    error = tomllib.TOMLDecodeError("A quite new complaint (at line 3, column 1)")
    assert reason(error, "a\nb\nc = d") == "line 3, column 1 cannot be read, at 'c = d'"
    for unknown in (tomllib.TOMLDecodeError("no place"), csv.Error("new"), ValueError("new")):
        assert english(messages("zh").error(reason(unknown))) == set()


def test_other_files_that_cannot_be_read_say_why_in_chinese():
    with pytest.raises(ScenarioError) as caught:
        recorded.parse(b'TIMESTAMP,ContextTokens,GeneratedTokens\n1,"' + b"x" * 140_000, "f")
    assert "131072 个字符" in messages("zh").error(caught.value)
    with pytest.raises(csv.Error) as wrong:
        list(csv.reader(io.StringIO("a,b\rc", newline="\n")))
    assert "一行在单元格中间结束" in messages("zh").error(reason(wrong.value))
    with pytest.raises(UnicodeDecodeError) as bytes_:
        b"ab\xff".decode()
    assert messages("zh").error(reason(bytes_.value)) == "位置 2 处的字节不是 UTF-8"


BROKEN = {
    "model.safetensors": (b"", b"abc", struct.pack("<Q", 5) + b"{'a'}", struct.pack("<Q", 10**12) + b"x",
        struct.pack("<Q", 58) + b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}    1'),
    "tokenizer.json": (b"", b"{", b"{}", b'{"model": {}}', b"\xff"),
    "config.json": (b"{", b"[]", b"\xff"),
    "x.gguf": (b"", b"abcdef", b"GGUF\x03\x00"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_model_file_says_why_in_chinese(name, tmp_path):
    from vizkv.model.checkpoint import SafetensorsFolder
    from vizkv.model.errors import ModelError
    from vizkv.model.gguf_file import GgufFile
    from vizkv.model.hugging_face import read_json
    from vizkv.model.tokenizer import read_tokenizer

    read = {
        "config.json": read_json,
        "tokenizer.json": lambda file: read_tokenizer(file, ()),
        "model.safetensors": lambda file: SafetensorsFolder(file.parent),
        "x.gguf": GgufFile,
    }
    file = tmp_path / name
    for content in BROKEN[name]:
        file.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            read[name](file)
        said = messages("zh").error(caught.value).replace(str(file), "")
        assert english(said) <= {"safetensors", "GGUF", "model"}, said


def test_a_list_is_joined_as_the_language_does():
    assert joined(["a", "b", "c"]) == "a, b, c"
    assert messages("zh").error(joined(["a", "b", "c"])) == "a、b、c"
    assert (joined([]), joined(["a"])) == ("", "a")
    assert isinstance(joined(["a", "b"]), Told)
