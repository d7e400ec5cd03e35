"""Answers are compared by what they mean and by how their digits are spelled."""

from service.replay.differences import Difference, differences, spelled


def test_differences_are_by_meaning_and_by_digit() -> None:
    def compared(logged: str, replayed: str) -> list[Difference]:
        return differences(spelled(logged.encode()), spelled(replayed.encode()))

    assert compared('{"a":1,"b":[1,2]}', '{"b":[1,2],"a":1}') == []
    assert compared('{"a":0.10}', '{"a":0.1}') == [Difference("a", "0.10", "0.1")]
    assert compared('{"a":"1"}', '{"a":1}') == [Difference("a", '"1"', "1")]
    assert compared('{"a":true}', '{"a":1}') == [Difference("a", "true", "1")]
    assert compared('{"a":[1]}', '{"a":[1,{"b":2}]}') == [Difference("a[1]", "(absent)", '{"b":2}')]
    rows = '[{"feature":"x","n":1},{"feature":"y","n":2}]'
    assert compared(rows, '[{"feature":"x","n":1}]') == [Difference("[y]", '{"feature":"y","n":2}', "(absent)")]
    assert compared(rows, '[{"feature":"y","n":2},{"feature":"x","n":1}]') == [Difference(" (order)", "x, y", "y, x")]
    assert compared('[{"code":"x"},{"code":"x"}]', '[{"code":"x"}]') == [Difference("[1]", '{"code":"x"}', "(absent)")]
