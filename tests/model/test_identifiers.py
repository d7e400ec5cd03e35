import pytest

from model.identifiers import identifier_kind, is_nhs_number, looks_like_a_name


# 943 476 5919 is the NHS Data Dictionary's own example of a valid number; no person has it.
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("943 476 5919", "an NHS number"),
        ("ref9434765919x", "an NHS number"),
        ("someone@example.org", "an e-mail address"),
        ("2019-03-14", "a date"),
        ("20190314", "a date"),
        ("14/03/2019", "a date"),
        ("1.4.19", "a date"),
        ("14032019", "a date"),
        ("2024.5.1", "a date"),
        ("2024-5-1", "a date"),
        ("2024-W12-3", "a date"),
        ("00447700900123", "a phone number"),
        ("44-7700-900123", "a phone number"),
        ("AB123456C", "a National Insurance number"),
        ("ab 12 34 56 d", "a National Insurance number"),
        ("14Mar2019", "a date"),
        ("14-march-19", "a date"),
        ("3rd_April_2019", "a date"),
        ("Mar 14, 2019", "a date"),
        ("07700 900123", "a phone number"),
        ("+44 20 7946 0000", "a phone number"),
        ("SW1A 1AA", "a postcode"),
        ("m1 1ae", "a postcode"),
        ("SW1A-1AA", "a postcode"),
        ("pc_sw1a_1aa", "a postcode"),
        ("943:476:5919", "an NHS number"),
        ("2019_05_03", "a date"),
    ],
)
def test_identifiers_are_recognised(text, kind):
    assert identifier_kind(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "case-0001",
        "A-2024-17",
        "0b1c2d3e",
        "HV.00042",
        "yes",
        "level_3",
        "12345678",
        "1234567890",
        "mar-0042",
        "ward3-junior-12",
        "summary-7",
    ],
)
def test_pseudonyms_pass(text):
    assert identifier_kind(text) is None


@pytest.mark.parametrize(("text", "valid"), [("9434765919", True), ("9434765918", False), ("943476591", False)])
def test_the_check_digit_decides(text, valid):
    assert is_nhs_number(text) is valid


@pytest.mark.parametrize(
    ("text", "named"), [("Jane_Roe_1", True), ("case1-Jane-Roe", True), ("Case-0001", False), ("HV-Team-3", False)]
)
def test_two_capitalised_words_look_like_a_name(text, named):
    assert looks_like_a_name(text) is named
