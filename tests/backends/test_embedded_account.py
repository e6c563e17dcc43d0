"""As whom PostgreSQL's programs run."""

import os

import pytest

from brownout.backends.embedded import account
from brownout.backends.embedded.account import choose_account
from brownout.errors import BackendUnavailable


def test_it_is_never_root() -> None:
    chosen = choose_account({})

    assert chosen.uid != 0
    assert chosen.switches is (os.geteuid() == 0)


def test_programs_get_the_marks_and_nothing_else_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")
    status, said = choose_account({"BROWNOUT_RUN": "mark"}).run(["/usr/bin/env"])

    assert status == 0
    assert "BROWNOUT_RUN=mark" in said
    assert "PGOPTIONS" not in said


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(TimeoutError, match="did not end within"):
        choose_account({}).run(["/bin/sleep", "60"], timeout=0.05)


def test_root_without_anybody_to_become_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(account, "_UNPRIVILEGED", ("root", "no_such_user"))

    with pytest.raises(BackendUnavailable, match="cannot switch to another user") as raised:
        choose_account({})

    assert raised.value.tried == ("user root: has the id 0", "user no_such_user: does not exist")


def test_a_user_without_a_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242424)

    with pytest.raises(BackendUnavailable, match="without a name") as raised:
        choose_account({})

    assert "4242424" in str(raised.value)
