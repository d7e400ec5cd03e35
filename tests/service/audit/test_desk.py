"""Auditors are served beside screenings, never in their place."""

import threading


def test_auditors_leave_room_for_screenings(service, monkeypatch):
    """A third request at once is told to come again; a screening is not."""
    entered, leave = threading.Semaphore(0), threading.Event()
    append = service.log.append

    def slowly(kind, *rest, **more):
        if kind == "lookup":
            entered.release()
            assert leave.wait(30)
        return append(kind, *rest, **more)

    monkeypatch.setattr(service.log, "append", slowly)
    service.screen()

    def look():
        return service.client.get("/v1/log/entries", headers=service.auditor)

    answers = []
    threads = [threading.Thread(target=lambda: answers.append(look().status_code)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert entered.acquire(timeout=30)
    assert entered.acquire(timeout=30)
    third = look()
    assert (third.status_code, third.headers["Retry-After"]) == (429, "1")
    assert service.screen().status_code == 201
    leave.set()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert look().status_code == 200
