"""Brazilian numbers: the ninth digit, area codes, what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.phone import STATE_OF_DDD, canonical, from_text, state_of, variants

DDDS = st.sampled_from(sorted(STATE_OF_DDD))
MOBILE = st.from_regex(r"[6-9][0-9]{7}", fullmatch=True)
LANDLINE = st.from_regex(r"[2-5][0-9]{7}", fullmatch=True)


def test_every_area_code_has_its_state():
    assert len(STATE_OF_DDD) == 67
    assert len(set(STATE_OF_DDD.values())) == 27


@given(DDDS, MOBILE)
def test_a_mobile_is_one_number_with_and_without_its_ninth_digit(ddd: str, tail: str):
    long, short = f"55{ddd}9{tail}", f"55{ddd}{tail}"
    assert canonical(short) == canonical(long) == canonical(f"+{long}") == f"+{long}"
    assert variants(short) == variants(long) == [long, short]
    assert state_of(canonical(short)) == STATE_OF_DDD[ddd]


@given(DDDS, LANDLINE)
def test_a_landline_has_one_form(ddd: str, tail: str):
    number = f"55{ddd}{tail}"
    assert canonical(number) == f"+{number}" and variants(number) == [number]
    assert canonical(f"55{ddd}9{tail}") != canonical(number)


@given(
    DDDS,
    MOBILE,
    st.sampled_from(["{ddd} {a}-{b}", "({ddd}) 9{a}-{b}", "0{ddd}{a}{b}", "+55 {ddd} 9{a} {b}", "55{ddd}{a}{b}"]),
)
def test_what_people_type_is_found(ddd: str, tail: str, form: str):
    assert from_text(form.format(ddd=ddd, a=tail[:4], b=tail[4:])) == f"+55{ddd}9{tail}"


@given(DDDS, st.from_regex(r"9[1-5][0-9]{7}", fullmatch=True), st.sampled_from(["{} {}", "({}) {}", "0{}{}"]))
def test_a_mobile_of_the_newer_ranges_never_had_eight_digits(ddd: str, number: str, form: str):
    assert from_text(form.format(ddd, number)) == f"+55{ddd}{number}"
    assert variants(f"55{ddd}{number}") == [f"55{ddd}{number}"]


@pytest.mark.parametrize(
    "typed", ["", "98765-4321", "987654321", "ana", "(00) 98765-4321", "+", "123", "1" * 16, "BR.1502576394655843"]
)
def test_what_is_no_full_number_is_refused(typed: str):
    assert from_text(typed) is None


@given(st.text(max_size=40))
def test_no_text_breaks_it(anything: str):
    for number in (canonical(anything), from_text(anything)):
        assert number is None or canonical(number) == number
    assert state_of(anything) in {None, *STATE_OF_DDD.values()}


@pytest.mark.parametrize("foreign", ["14155550123", "351912345678", "5491123456789"])
def test_a_foreign_number_stays_as_it_is(foreign: str):
    assert canonical(foreign) == f"+{foreign}" and variants(foreign) == [foreign] and state_of(f"+{foreign}") is None
