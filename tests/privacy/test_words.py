"""Words are found in a stream wherever it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.privacy.survivors import Words

LETTERS = st.text("ab1é", min_size=1, max_size=4)


@given(
    st.lists(LETTERS, max_size=6),
    st.text("ab1é", max_size=40),
    st.lists(st.integers(min_value=1, max_value=9), max_size=20),
)
def test_what_stands_in_a_stream_is_found_however_it_comes(words: list[str], said: str, cuts: list[int]) -> None:
    stream, search = said.encode(), Words(words)
    for cut in cuts:
        search.read(stream[:cut])
        stream = stream[cut:]
    search.read(stream)
    assert search.take() == {word for word in words if word in said}
    search.read(b"a1b")
    assert search.take() == {word for word in words if word in "a1b"}, "the next stream begins by itself"
