"""What a sender may fill in, at every door, with a canary in each place; and a client that looks for it in answers."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from dataclasses import dataclass, field

import jwt

from model.dictionary import shipped_dictionary
from tests.service.cds_hooks.conftest import ISS, SIGN, URL, VIEW, hook_call
from tests.service.fhir.forms import FHIR, coded, response_of

CANARY = "xq7canary"
DICTIONARY = shipped_dictionary()
NOBODY = "01a206b8-952c-7c0d-a774-f4f8772ea46c"
CASE = {"case_ref": f"{CANARY}-1", "agency": "gp", "features": {"immediate_danger": "no"}}
SANDBOX_CASE = {**CASE, "case_ref": f"sandbox-{CANARY}-1"}


@dataclass
class Sender:
    """Sends over HTTP; an error that repeats the canary fails the test at once."""

    port: int
    keys: dict[str, str]
    cds_key: object
    statuses: dict[str, set[int]] = field(default_factory=dict)
    """By door, what was answered."""
    made: dict[str, str] = field(default_factory=dict)
    """Ids of screenings that were made, by door, for what asks about them later."""

    def send(self, door, method, address, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = body if isinstance(body, str | None) else json.dumps(body)
        connection.request(method, address, sent, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        self.statuses.setdefault(door, set()).add(answer.status)
        if answer.status >= 400:
            assert CANARY not in text.lower(), (method, address, text)
        return json.loads(text) if answer.status in (200, 201) and text.startswith(("{", "[")) else {}

    def by(self, role, kind="application/json"):
        return {"Authorization": f"Bearer {self.keys[role]}", "Content_Type": kind}

    def screening(self, door="json"):
        return self.made.get(door, NOBODY)

    def token(self, path, **claims):
        now = int(time.time())
        said = {"iss": ISS, "aud": URL + path, "iat": now, "exp": now + 120, "jti": f"{CANARY}-{uuid.uuid4()}"}
        said |= {"sub": CANARY, **claims}
        return {
            "Authorization": f"Bearer {jwt.encode(said, self.cds_key, 'ES384', {'kid': 'key-1'})}",
            "Content_Type": "application/json",
        }


def everything(sender):
    """Each door with a canary in each of its places."""
    for door in (plain, batch, responses, reading, audit, fhir, cds_hooks, sandbox, pages):
        door(sender)


def plain(sender):
    bearer, screening = sender.by("practitioner"), ("json", "POST", "/v1/screenings")
    sender.made["json"] = sender.send(*screening, CASE, **bearer).get("screening_id", sender.screening())
    for case in wrong_cases():
        sender.send(*screening, case, **bearer)
    sender.send(*screening, f'{{"{CANARY}"', **bearer)
    sender.send(*screening, {**CASE, "observations": [{"agency": CANARY, "features": {CANARY: CANARY}}]}, **bearer)
    sender.send(*screening, CASE, **bearer, Idempotency_Key=f"{CANARY}-key-0001")
    sender.send(*screening, CASE, **bearer, Idempotency_Key=CANARY[:4])
    sender.send(*screening, CASE, **{**bearer, "Authorization": f"Bearer {CANARY}"})
    sender.send(*screening, CASE, **{**bearer, "Content_Type": CANARY})
    heads = {"User_Agent": CANARY, "Referer": f"http://{CANARY}/", "X_Forwarded_For": CANARY}
    sender.send(*screening, CASE, **bearer, **heads)
    sender.send("json", CANARY.upper(), "/v1/screenings", **bearer)


def wrong_cases():
    yield {**CASE, "agency": CANARY}
    yield {**CASE, "features": {CANARY: "yes"}}
    yield {**CASE, "features": {"immediate_danger": CANARY}}
    yield {**CASE, "features": {"mother_age_years": CANARY}}
    yield {**CASE, "monitoring": {CANARY: CANARY}}
    yield {**CASE, CANARY: CANARY}
    yield {**CASE, "case_ref": f"{CANARY} Street 7, born 01/02/2020"}


def batch(sender):
    bearer, many = sender.by("practitioner"), ("batch", "POST", "/v1/screenings/batch")
    told = sender.send(*many, {"cases": [CASE, {**CASE, "case_ref": f"{CANARY}-2"}]}, **bearer)
    if told:
        sender.made["batch"] = told["screenings"][0]["screening_id"]
    for case in wrong_cases():
        sender.send(*many, {"cases": [CASE, case]}, **bearer)
    sender.send(*many, {"cases": CANARY, CANARY: CANARY}, **bearer)
    sender.send(*many, f'{{"cases": ["{CANARY}"', **bearer)
    sender.send(*many, {"cases": [CASE]}, **bearer, Idempotency_Key=f"{CANARY}-many-01")


def responses(sender):
    bearer = sender.by("practitioner")
    for screening in (sender.screening(), NOBODY, CANARY):
        to = ("response", "POST", f"/v1/screenings/{screening}/response")
        sender.send(*to, {"action": CANARY}, **bearer)
        sender.send(*to, {"action": "decided_otherwise", "reasons": [CANARY]}, **bearer)
        sender.send(*to, {"action": "referred", "corrects": CANARY, CANARY: CANARY}, **bearer)
        sender.send(*to, {"action": "referred"}, **bearer, Idempotency_Key=f"{CANARY}-said-01")
        sender.send(*to, f'["{CANARY}"', **bearer)


def reading(sender):
    for role in ("practitioner", "auditor"):
        for screening in (sender.screening(), sender.screening("batch"), CANARY):
            for address in (f"/v1/screenings/{screening}", f"/v1/fhir/RiskAssessment/{screening}"):
                sender.send("reading", "GET", f"{address}?{CANARY}={CANARY}", **sender.by(role))
            for form in ("json", "fhir", "html", CANARY):
                address = f"/v1/screenings/{screening}/summary?format={form}"
                sender.send("reading", "GET", address, **sender.by(role))
    sender.send("reading", "GET", f"/v1/screenings/{sender.screening()}/summary", **sender.by("auditor"), Accept=CANARY)


def audit(sender):
    bearer = sender.by("auditor")
    names = ("from", "to", "kind", "level", "band", "model", "agency", "feature", "ground", "response")
    for name in (*names, "entry", "key_id", "order", "limit", "cursor", CANARY):
        sender.send("audit", "GET", f"/v1/log/entries?{name}={CANARY}", **bearer)
    for name in ("proof/", "entries/", "consistency?old=", "export?from=", "export?", "checkpoint?"):
        sender.send("audit", "GET", f"/v1/log/{name}{CANARY}", **bearer)
    sender.send("audit", "GET", f"/v1/log/entries?agency={CANARY}", **sender.by("practitioner"))


def fhir(sender):
    bearer, post = sender.by("practitioner", FHIR), ("fhir", "POST", "/v1/fhir/QuestionnaireResponse")
    who = {
        "author": {"display": CANARY},
        "source": {"reference": f"Patient/{CANARY}", "display": CANARY},
        "text": {"status": "generated", "div": f"<div>{CANARY}</div>"},
        "id": CANARY,
    }
    good = response_of(DICTIONARY, {"immediate_danger": "no"}, case_ref=f"{CANARY}-1", **who)
    good["subject"] |= {"reference": f"Patient/{CANARY}", "display": CANARY}
    sender.made["fhir"] = sender.send(*post, good, **bearer).get("id", sender.screening("fhir"))
    wrong = [
        {"item": [{"linkId": CANARY, "answer": [coded(CANARY)]}]},
        {"item": [{"linkId": "immediate_danger", "answer": [coded(CANARY)]}]},
        {"item": [{"linkId": "immediate_danger", "answer": [coded("no", CANARY)]}]},
        {"item": [{"linkId": "immediate_danger", "text": CANARY, "answer": [{"valueString": CANARY}]}]},
        {"item": CANARY},
        {"subject": {"identifier": {"system": "urn:grounds:case-ref", "value": f"{CANARY} of Street 7"}}},
        {"status": CANARY},
        {"authored": CANARY},
        {"questionnaire": CANARY},
        {"implicitRules": CANARY},
        {"modifierExtension": [{"url": CANARY}]},
        {"resourceType": CANARY},
    ]
    for changes in wrong:
        sender.send(*post, {**good, **changes}, **bearer)
    sender.send(*post, f'{{"{CANARY}"', **bearer)
    sender.send("fhir", "GET", f"/v1/fhir/{CANARY}", **bearer)


def cds_hooks(sender):
    for path in (VIEW, SIGN):
        said = {"case_ref": f"{CANARY}-1", "agency": "gp"}
        context = {"userId": f"Practitioner/{CANARY}", "patientId": CANARY}
        call = hook_call(path=path, agency="gp", fhirServer=f"https://{CANARY}/")
        call["fhirAuthorization"]["access_token"] = CANARY
        call["context"] |= context
        call["prefetch"]["answers"] = response_of(DICTIONARY, {"immediate_danger": "no"}, **said)
        told = sender.send("cds", "POST", path, call, **sender.token(path))
        if told:
            sender.made["cds"] = told["cards"][0]["uuid"]
        wrong = [
            {"hook": CANARY},
            {"hookInstance": CANARY},
            {"prefetch": {"answers": response_of(DICTIONARY, {}, agency=CANARY, case_ref=f"{CANARY} Street")}},
            {"prefetch": {CANARY: CANARY}},
            {"context": CANARY},
            {CANARY: CANARY},
        ]
        for changes in wrong:
            sender.send("cds", "POST", path, {**call, **changes}, **sender.token(path))
        sender.send("cds", "POST", path, call, **sender.token(path, iss=CANARY))
        sender.send("cds", "POST", path, call, **sender.token(path, aud=CANARY))
        sender.send("cds", "POST", path, call, Authorization=f"Bearer {CANARY}")
        _feedback(sender, f"{path}/feedback")


def _feedback(sender, path):
    other = {"code": "other", "system": CANARY, "display": CANARY}
    entry = {
        "card": sender.screening("cds"),
        "outcome": "overridden",
        "outcomeTimestamp": "2026-04-01T09:30:00Z",
        "overrideReason": {"userComment": CANARY},
    }
    wrong = [
        {"card": CANARY},
        {"outcome": CANARY},
        {"outcomeTimestamp": CANARY},
        {"overrideReason": {"reason": other, "userComment": CANARY}},
        {"acceptedSuggestions": [{"id": CANARY}]},
        {CANARY: CANARY, "card": NOBODY},
    ]
    for changes in ({}, *wrong):
        sender.send("feedback", "POST", path, {"feedback": [{**entry, **changes}]}, **sender.token(path))
    sender.send("feedback", "POST", path, {"feedback": CANARY}, **sender.token(path))


def sandbox(sender):
    bearer = sender.by("sandbox")
    told = sender.send("sandbox", "POST", "/v1/screenings", SANDBOX_CASE, **bearer)
    sender.made["sandbox"] = told.get("screening_id", sender.screening("sandbox"))
    for case in (CASE, *wrong_cases()):
        sender.send("sandbox", "POST", "/v1/screenings", case, **bearer)
    address = f"/v1/screenings/{sender.screening('sandbox')}"
    sender.send("sandbox", "POST", f"{address}/response", {"action": CANARY}, **bearer)
    sender.send("sandbox", "GET", f"{address}?{CANARY}={CANARY}", **bearer)
    sender.send("sandbox", "GET", f"/v1/log/entries?agency={CANARY}", **bearer)


def pages(sender):
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    sender.send("pages", "GET", f"/{CANARY}?{CANARY}={CANARY}")
    sender.send("pages", "GET", f"/screenings/{CANARY}", Cookie=f"grounds={CANARY}")
    sender.send("pages", "POST", "/sign-in", f"key={CANARY}", **form)
    sender.send("pages", "POST", "/screen/gp", f"case_ref={CANARY}&token={CANARY}", **form, Cookie=f"grounds={CANARY}")
