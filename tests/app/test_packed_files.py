"""The page's files go out compressed, each compressed once for a whole class."""

import asyncio
import gzip
from collections import Counter

import pytest
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vizkv.ui.streamlit.packed_files import PackedFiles

SCRIPT = b"let slots = 0; " * 4000
PACKED = {"accept-encoding": "gzip, deflate, br"}


async def _get(app, path, headers):
    """(status, headers, body) as they are sent."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "query_string": b"", "headers": lines}
    await app(scope, receive, send)
    start, *parts = sent
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], told, b"".join(part["body"] for part in parts)


@pytest.fixture
def served():
    """(ask(path, headers, times) -> the answers to so many at once, how often the app itself was asked)."""
    asked = Counter()

    async def file(request):
        asked[request.url.path] += 1
        await asyncio.sleep(0.01)
        if "missing" in request.url.path:
            return Response("no such file", 404)
        if "range" in request.headers:
            return Response(SCRIPT[:10], 206)
        more = {"media_type": "text/javascript", "headers": {"cache-control": "immutable"}}
        if "streamed" in request.url.path:
            return StreamingResponse(iter([SCRIPT[:100], SCRIPT[100:]]), **more)
        return Response(SCRIPT, **more)

    app = PackedFiles(Starlette(routes=[Route("/{path:path}", file)]))

    def ask(path, headers, times=1):
        async def all_at_once():
            return await asyncio.gather(*(_get(app, path, headers) for _ in range(times)))

        return asyncio.run(all_at_once())

    return ask, asked


@pytest.mark.parametrize("path", ["/base/static/js/index.abc.js", "/static/js/streamed.abc.js"])
def test_a_class_that_loads_a_script_at_once_has_it_compressed_once(served, path):
    ask, asked = served
    answers = ask(path, PACKED, 200)
    assert len(answers) == 200 and all(answer == answers[0] for answer in answers)
    status, headers, body = answers[0]
    assert status == 200 and gzip.decompress(body) == SCRIPT and len(body) < len(SCRIPT) / 4
    assert headers["content-encoding"] == "gzip" and int(headers["content-length"]) == len(body)
    assert headers["vary"] == "Accept-Encoding" and headers["cache-control"] == "immutable"
    ask(path, PACKED)
    assert asked == {path: 1}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/static/js/index.js", {}),
        ("/static/js/index.js", PACKED | {"range": "bytes=0-9"}),
        ("/static/js/index.js", PACKED | {"if-none-match": '"1"'}),
        ("/static/media/face.woff2", PACKED),
        ("/script.js", PACKED),
    ],
)
def test_what_cannot_be_compressed_for_all_is_the_apps_own_answer(served, path, headers):
    ask, asked = served
    for _ in range(2):
        ((_, told, _),) = ask(path, headers)
        assert "content-encoding" not in told
    assert asked[path] == 2


def test_a_missing_file_stays_missing_and_is_not_kept(served):
    ask, asked = served
    for _ in range(2):
        ((status, _, body),) = ask("/static/js/missing.js", PACKED)
        assert (status, body) == (404, b"no such file")
    assert asked["/static/js/missing.js"] == 2
