"""The names that our FHIR resources use: systems, extensions, link ids."""

from __future__ import annotations

from model.dictionary import Dictionary

FHIR_JSON = "application/fhir+json"
CASE_REF_SYSTEM = "urn:grounds:case-ref"
SCREENING_SYSTEM = "urn:grounds:screening"
LOG_SYSTEM = "urn:grounds:log"
ANSWER_SYSTEM = "urn:grounds:answer"
"""The code system of answers: the levels as the dictionary spells them, `known`, `not_known` and `not_applicable`."""
AGENCY_SYSTEM = "urn:grounds:agency"
ANSWER_SYSTEMS = (ANSWER_SYSTEM, AGENCY_SYSTEM)
AGENCY_LINK = "grounds:agency"
"""Link id of the question for the agency. No feature's name holds a colon."""
STATE = ":state"
HELP = ":help"
KNOWN = "known"

HELD_BY = "urn:grounds:held-by"
SOURCE = "urn:grounds:source"
RECORD = "urn:grounds:record"
EXPLANATION = "urn:grounds:explanation"
CONTRIBUTION = "urn:grounds:contribution"

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
"""HL7's extension for why there is no value (FHIR R4, data-absent-reason)."""
ABSENT_NOT_APPLICABLE = "not-applicable"
ITEM_CONTROL = "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl"
ITEM_CONTROL_SYSTEM = "http://hl7.org/fhir/questionnaire-item-control"
MIN_VALUE = "http://hl7.org/fhir/StructureDefinition/minValue"
MAX_VALUE = "http://hl7.org/fhir/StructureDefinition/maxValue"
UNIT = "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"


def questionnaire_url(dictionary: Dictionary) -> str:
    """The canonical address of a dictionary's Questionnaire, without its version."""
    words = "".join(letter if letter.isalnum() else " " for letter in dictionary.name.lower()).split()
    return f"urn:grounds:questionnaire:{'-'.join(words)}"
