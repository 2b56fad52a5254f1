"""Why a file cannot be read: our sentence with the place, in the page's language, then its reader's own words."""

import csv
import io
import json
import re
import struct
import tomllib

import pytest

from vizkv.lecture import script
from vizkv.messages.catalogue import messages
from vizkv.messages.reasons import reason
from vizkv.messages.sentence import Told, joined
from vizkv.scenario.schema import ScenarioError, from_bytes, from_toml
from vizkv.workload import recorded

TOML = ("slots = x", "slots", "[slots", "slots = 1\nslots = 2", 'a="\\q"', "= 3", "[a]\n[a]", "d=1999-02-31")
JSON = ("", "{", "{a}", '{"a" 1}', "[1 2]", "{} x", "[1,]", "tru")


@pytest.mark.parametrize("text", TOML)
@pytest.mark.parametrize("read", [from_toml, script.read])
def test_a_broken_toml_file_is_answered_with_the_line_and_the_parsers_words(text, read):
    with pytest.raises(tomllib.TOMLDecodeError) as parser:
        tomllib.loads(text)
    with pytest.raises(ScenarioError) as caught:
        read(text)
    words, _, _ = str(parser.value).partition(" (at ")
    assert re.search(r"is not valid TOML: (line \d+, column \d+: )?" + re.escape(words), str(caught.value))


def test_a_broken_toml_file_is_named():
    with pytest.raises(
        ScenarioError, match=r"The file 'own\.toml' is not valid TOML: line 2, column 9: Invalid value\."
    ):
        from_bytes(b"# an x\r\nslots = x\r\n", "own.toml")
    with pytest.raises(ScenarioError) as caught:
        from_bytes(b"slots = x", "own.toml")
    assert messages("zh").error(caught.value) == "文件 'own.toml' 不是有效的 TOML：第 1 行第 9 列：Invalid value。"


@pytest.mark.parametrize("text", JSON)
def test_a_broken_json_file_is_answered_with_the_line_and_the_parsers_words(text):
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)
    assert messages("zh").error(reason(caught.value)) == f"第 1 行第 {caught.value.colno} 列：{caught.value.msg}"


def test_a_message_without_a_place_is_given_as_it_is():
    assert reason(tomllib.TOMLDecodeError("A new complaint")) == "A new complaint"
    assert reason(csv.Error("new")) == "new"
    assert reason(ValueError("new")) == "it is damaged"


def test_a_message_of_the_parser_is_shortened():
    assert len(reason(tomllib.TOMLDecodeError("x" * 10_000))) < 300


def test_csv_and_utf_8_are_answered_too():
    with pytest.raises(ScenarioError, match="is not CSV: field larger than field limit"):
        recorded.parse(b'TIMESTAMP,ContextTokens,GeneratedTokens\n1,"' + b"x" * 140_000, "f")
    with pytest.raises(csv.Error) as wrong:
        list(csv.reader(io.StringIO("a,b\rc", newline="\n")))
    assert reason(wrong.value) == str(wrong.value)
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
        assert re.search(r"[\u4e00-\u9fff]{2}", said), said


def test_a_list_is_joined_as_the_language_does():
    assert joined(["a", "b", "c"]) == "a, b, c"
    assert messages("zh").error(joined(["a", "b", "c"])) == "a、b、c"
    assert (joined([]), joined(["a"])) == ("", "a")
    assert isinstance(joined(["a", "b"]), Told)
