"""What the tests of the pages share."""

import pytest

from vizkv.ui.frame import classroom


@pytest.fixture(autouse=True)
def no_classes(monkeypatch):
    """A server without classes: those of other tests would fill it."""
    monkeypatch.setattr(classroom, "_CLASSES", {})
