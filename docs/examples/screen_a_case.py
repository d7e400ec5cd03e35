"""Screens a canned case and shows it in the order that the integrator's guide asks for. Run it with a sandbox key:

python docs/examples/screen_a_case.py http://127.0.0.1:8000 grounds_sandbox_...
"""

from __future__ import annotations

import sys
import uuid

from grounds_client import GroundsClient, GroundsError


def main(address: str, key: str) -> None:
    """Screens the first canned case and says what was done about it."""
    grounds = GroundsClient(address, key)
    try:
        case = grounds.get_sandbox_cases()["cases"][0]["request"]
        # A key of its own for each screening: if no answer comes, the same case may be sent again with it.
        screening = grounds.post_screening(case, idempotency_key=str(uuid.uuid4()))
    except GroundsError as error:
        fixes = "".join(f"\n  {one['field']}: {one['fix']}" for one in error.errors)
        sys.exit(f"No screening was made. {error}{fixes}")
    print(screening["prompt"]["text"])
    for reason in screening["prompt"]["reasons"]:
        print("-", reason)
    for ground in screening["grounds"]:
        print("Ground:", ground["text"])
    for gap in screening["not_known"][:5]:
        print("Not known:", gap["label"], "- ask", ", ".join(gap["held_by"]))
    for row in screening["explanation"]["contributions"][:5]:
        print(row["text"])
    print("Recorded as entry", screening["record"]["index"], "of", screening["record"]["log"])
    grounds.post_screening_response(screening["screening_id"], {"action": "discussed", "reasons": []})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: screen_a_case.py ADDRESS KEY")
    main(sys.argv[1], sys.argv[2])
