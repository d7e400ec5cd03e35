"""The services that are offered: one a hook, the same screening behind both (`GET /cds-services`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model.dictionary import Dictionary
from service.fhir.terms import questionnaire_url
from service.words.topics import topic

PREFETCH = "answers"


@dataclass(frozen=True, slots=True)
class HookService:
    """A service: its id in the address, its hook, and what of the hook's context must be there."""

    id: str
    hook: str
    context: tuple[str, ...]


SERVICES = {
    service.id: service
    for service in (
        HookService("grounds-patient-view", "patient-view", ("userId", "patientId")),
        HookService("grounds-order-sign", "order-sign", ("userId", "patientId", "draftOrders")),
    )
}


def discovery(dictionary: Dictionary) -> dict[str, Any]:
    """What `GET /cds-services` answers. The prefetch asks for the patient's newest answers to our Questionnaire."""
    words = topic("cds_hooks").services
    query = (
        "QuestionnaireResponse?patient={{context.patientId}}"
        f"&questionnaire={questionnaire_url(dictionary)}&_sort=-authored&_count=1"
    )
    return {
        "services": [
            {
                "id": service.id,
                "hook": service.hook,
                "title": words[service.hook].title,
                "description": words[service.hook].description,
                "prefetch": {PREFETCH: query},
                "usageRequirements": words.usage.text,
            }
            for service in SERVICES.values()
        ]
    }
