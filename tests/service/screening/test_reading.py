"""What is wrong with a request is said once, and without the names that may be a person's."""

HIDDEN = "(a field whose name is not shown)"


def errors_of(response):
    assert response.status_code == 422
    return response.get_json()["errors"]


def test_fields_whose_names_are_not_shown_are_one_error_with_their_number(service):
    errors = errors_of(
        service.screen({"jane_doe": 1, "john_roe": 2, "domestic_abus": "no"}, colour="red", size=3, song="x")
    )
    said = {error["field"]: error["fix"] for error in errors}
    assert len(said) == len(errors)
    assert said.keys() == {f"features.{HIDDEN}", "features.domestic_abus", HIDDEN}
    assert said[f"features.{HIDDEN}"] == f"{said['features.domestic_abus']} (there are 2 of these)"
    assert said[HIDDEN] == "is not a field of this request; remove it (there are 3 of these)"


def test_all_are_counted_however_many(service):
    (error,) = errors_of(service.screen({f"name_{number}": 1 for number in range(200)}))
    assert error["fix"].endswith("(there are 200 of these)")


def test_of_many_cases_each_has_its_own(service):
    case = {"case_ref": "case-1", "agency": "gp", "features": {"jane_doe": 1, "john_roe": 2}}
    sent = service.client.post("/v1/screenings/batch", json={"cases": [case, case]}, headers=service.practitioner)
    assert [error["field"] for error in errors_of(sent)] == [f"cases.{place}.features.{HIDDEN}" for place in (0, 1)]
