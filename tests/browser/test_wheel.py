"""The wheel, installed without the checkout: the app, the command and the library are in it."""

import subprocess
import sys
import sysconfig
import time
import zipfile

import pytest
from playwright.sync_api import expect

from scripts import lab
from tests.house.project import ROOT

MOST_BYTES = 10 * 10**6


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("vizkv-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel and the packages that it depends on, and without the checkout."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip()
    with open(
        f"{packages}/dependencies.pth", "w"
    ) as file:  # its own .pth files, the checkout's among them, do not count
        file.write(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "-q", "--python", python, "install", "--no-deps", "--no-index", wheel]
    subprocess.run(pip, check=True, capture_output=True)
    return folder


def test_the_wheel_is_small_and_holds_the_app_and_the_typed_marker(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size < MOST_BYTES
    assert {"vizkv/py.typed", "vizkv/_app/app.py", "vizkv/_app/.streamlit/config.toml"} <= set(names)
    pages = {path.name for path in (ROOT / "pages").glob("*.py")}
    assert {name.rsplit("/", 1)[1] for name in names if name.startswith("vizkv/_app/pages/")} == pages
    assert {name.split("/")[0] for name in names} == {"vizkv", "vizkv-0.1.0.dist-info"}


def test_the_installed_library_runs_an_example(installed, tmp_path):
    code = "import vizkv; print(vizkv.__file__); print(vizkv.run('pow2-513').summary()['PagedAttention']['tokens'])"
    python = installed / "bin" / "python"
    out = subprocess.run([python, "-c", code], cwd=tmp_path, env={}, check=True, capture_output=True, text=True)
    where, tokens = out.stdout.split()
    assert where.startswith(str(installed)) and tokens == "513"


def test_the_installed_command_serves_the_app_below_a_path(installed, browser, tmp_path):
    port = lab.free_port()
    address = f"http://127.0.0.1:{port}/kv/"
    words = ["app", "--no-browser", "--host", "127.0.0.1", "--port", str(port), "--base-path", "/kv"]
    with open(tmp_path / "log", "w") as log:
        app = subprocess.Popen(
            [installed / "bin" / "vizkv", *words], cwd=tmp_path, env={"HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        until = time.monotonic() + lab.STARTS_WITHIN_S
        while not lab.answers(f"{address}_stcore/health"):
            assert app.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.1)
        assert address in (tmp_path / "log").read_text()
        page = browser.new_page()
        for name in ("", "table"):
            page.goto(address + name)
            lab.settle(page)
            expect(page.locator(".vizkv .row").first).to_be_visible()
        page.close()
    finally:
        app.terminate()
        app.wait(20)
