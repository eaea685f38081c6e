"""A kernel that records nothing, and a puppet on it: for tests that need no more."""

import pytest

import kernelsim as ks


@pytest.fixture
def k():
    return ks.boot(record=False)


@pytest.fixture
def sh(k):
    return k.spawn("sh")
