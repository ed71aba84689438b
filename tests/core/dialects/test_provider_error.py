"""Errors of providers in the words of agents -> status, word, sentence (B1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ralph_wiggum.core.dialects.provider_error import ProviderError, read


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param("", ProviderError(), id="nothing"),
        pytest.param("Overloaded", ProviderError(text="Overloaded"), id="one word"),
        pytest.param("529 Overloaded", ProviderError(status=529, text="529 Overloaded"), id="the status first"),
        pytest.param(
            'API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
            ProviderError(status=529, kind="overloaded_error", text="Overloaded"),
            id="a body of Anthropic",
        ),
        pytest.param(
            '{"message":"No.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}',
            ProviderError(kind="invalid_api_key", text="No."),
            id="a body of OpenAI",
        ),
        pytest.param(
            '[API Error: {"error":{"code":503,"message":"Busy.","status":"UNAVAILABLE","details":[]}}]',
            ProviderError(status=503, kind="UNAVAILABLE", text="Busy."),
            id="a body of Google",
        ),
        pytest.param(
            "[API Error: 429 Slow down]\nTry later.", ProviderError(status=429, text="429 Slow down"), id="wrapped"
        ),
        pytest.param(
            "unexpected status 401 Unauthorized: no, url: http://x:8765/v1/500",
            ProviderError(status=401, text="unexpected status 401 Unauthorized: no, url: http://x:8765/v1/500"),
            id="the status in the middle",
        ),
        pytest.param(
            "Authentication failed (HTTP 403).\n  Check your key.",
            ProviderError(status=403, text="Authentication failed (HTTP 403). Check your key."),
            id="on two lines",
        ),
        pytest.param("It took 429 steps", ProviderError(text="It took 429 steps"), id="a number that is no status"),
        pytest.param("4291 things", ProviderError(text="4291 things"), id="a longer number"),
        pytest.param("status 200 OK", ProviderError(text="status 200 OK"), id="no error of HTTP"),
        pytest.param(
            "Please retry after 30 seconds", ProviderError(text="Please retry after 30 seconds", retry_after=30.0), id="a wait"
        ),
        pytest.param("retry in 5 minutes", ProviderError(text="retry in 5 minutes"), id="minutes are not seconds"),
        pytest.param("[API Error: ", ProviderError(text="[API Error:"), id="torn"),
        pytest.param('{"message": 5}', ProviderError(text='{"message": 5}'), id="fields of other kinds"),
    ],
)  # fmt: skip
def test_an_error_is_read(words: str, found: ProviderError) -> None:
    assert read(words) == found


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["[API Error: ", "{", '"error":', "429", "]", "\n", "\x1b[1m"])).map("".join)
)
def test_no_words_ever_fail(words: str) -> None:
    found = read(words)
    assert "\n" not in found.text
    assert len(found.text) <= 500
    assert found.status == 0 or 400 <= found.status <= 599
