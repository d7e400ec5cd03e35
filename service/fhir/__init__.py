"""FHIR R4 at the door: a Questionnaire out of the dictionary, answers in, and a RiskAssessment out of the record.

The service has no FHIR library: a resource is JSON of a known shape, and tests validate each with
`fhirclient` (R4) and `fhir.resources` (R4B, which left the types that are used here as R4 has them).
"""
