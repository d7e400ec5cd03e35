"""FHIR R4 at the door: a Questionnaire out of the dictionary, answers in, and a RiskAssessment out of the record.

The service has no FHIR library: a resource is JSON of a known shape, and tests validate each with `fhir.resources`.
That library has R4B (4.3.0) and no R4 (4.0.1); R4B left the types that are used here as R4 has them.
"""
