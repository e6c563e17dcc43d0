"""Options and marks that are wrong are found before anything starts."""

import pytest

from tests.plugin.conftest import INI, QUIETLY, Judge

pytest_plugins = ["pytester"]

STARTS = """
@pytest.fixture(scope="session", autouse=True)
def engine():
    open("started", "w").close()

@pytest.mark.behaviour('T1')
def test_it(): pass
"""


def refused(result: pytest.RunResult, project: pytest.Pytester, *lines: str) -> None:
    """Exit code 2, one clear error, and nothing was started."""
    assert result.ret == 2
    assert not (project.path / "started").exists()
    result.stdout.fnmatch_lines([*lines, "brownout: nothing was started — exit 2"])


def test_wrong_on_the_command_line(judge: Judge, project: pytest.Pytester) -> None:
    refused(
        judge(STARTS, "--brownout-backend=dokcer"),
        project,
        "--brownout-backend is 'dokcer', but 'embedded', 'docker' or 'remote' is needed.",
        "What to do: Did you mean 'docker'?",
    )


def test_wrong_in_the_environment(
    judge: Judge, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWNOUT_STRICT", "perhaps")
    refused(
        judge(STARTS),
        project,
        "the environment variable BROWNOUT_STRICT is 'perhaps', but yes or no *",
    )


def test_wrong_in_the_ini_file(judge: Judge, project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest=INI + "brownout_start_timeout = soon\n")
    refused(
        judge(STARTS),
        project,
        "brownout_start_timeout in */pytest.ini is 'soon', but a number of seconds *",
    )


def test_flag_wrong_in_the_ini_file(judge: Judge, project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest=INI + "brownout_strict = perhaps\n")
    refused(judge(STARTS), project, "brownout_strict in */pytest.ini cannot be read: *perhaps*")


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        ("'T99'", "*test_it is marked wrongly: There is no behaviour 'T99' in the catalogue.*"),
        ("'t1'", "*Did you mean 'T1'? Its promise: every request ends within D *"),
        ("", "*test_it is marked wrongly: The mark behaviour has no id.*"),
        ("'T1', level='shall'", "*There is no level 'shall'.*"),
        ("'T1', lvl='must'", "*The mark behaviour has no argument 'lvl'.*"),
    ],
)
def test_wrong_mark(judge: Judge, project: pytest.Pytester, mark: str, line: str) -> None:
    refused(judge(STARTS.replace("'T1'", mark)), project, line)


def test_folder_that_cannot_be_written(judge: Judge, project: pytest.Pytester) -> None:
    (project.path / "file").touch()
    refused(
        judge(STARTS, "--brownout-report=file/out"),
        project,
        "The report cannot be written into *file/out: Not a directory.",
    )


def test_wrong_option_is_told_without_a_terminal_too(judge: Judge) -> None:
    result = judge(STARTS, "--brownout-backend=dokcer", "-p", "no:terminal")
    assert result.ret == 2
    result.stderr.fnmatch_lines(["ERROR: --brownout-backend is 'dokcer'*"])


def test_refused_run_says_so_in_its_document(judge: Judge, project: pytest.Pytester) -> None:
    judge(STARTS.replace("'T1'", "'T99'"), "--brownout-report=out")
    assert "There is no behaviour 'T99'" in (project.path / "out" / "brownout.json").read_text()


@pytest.mark.parametrize(
    ("argument", "hint"),
    [
        ("--brownout-bakend=docker", "What to do: Did you mean '--brownout-backend'?"),
        ("--brownout-zzz", "What to do: Known: --brownout-backend, *"),
    ],
)
def test_option_that_there_is_not(project: pytest.Pytester, argument: str, hint: str) -> None:
    result = project.runpytest_subprocess(*QUIETLY, argument)
    assert result.ret == 2
    result.stderr.fnmatch_lines([f"ERROR: There is no option {argument.partition('=')[0]}.", hint])


def test_explicit_no_outranks_a_yes_in_the_ini_file(judge: Judge, project: pytest.Pytester) -> None:
    project.makefile(".ini", pytest=INI + "brownout_strict = yes\n")
    broken_should = """
@pytest.mark.behaviour('E3')
def test_it(): raise violation()
"""
    assert judge(broken_should).ret == 1
    assert judge(broken_should, "--no-brownout-strict").ret == 0


def test_wrong_option_does_not_disturb_an_ordinary_run(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWNOUT_BACKEND", "dokcer")
    judge("def test_it(): pass\n").assert_outcomes(passed=1)


def test_wrong_option_does_not_disturb_a_run_that_deselects_behaviours(judge: Judge) -> None:
    result = judge(
        "@pytest.mark.behaviour('T1')\ndef test_it(): pass\ndef test_other(): pass\n",
        "--brownout-backend=dokcer",
        "-k",
        "other",
    )
    assert result.ret == 0
    result.assert_outcomes(passed=1, deselected=1)


def test_help_names_every_option(project: pytest.Pytester) -> None:
    text = project.runpytest_inprocess(*QUIETLY, "--help").stdout.str()
    for name in ("backend", "postgres", "pg-bin", "postgres-image", "toxiproxy-image"):
        assert f"--brownout-{name}" in text
    for name in ("service", "start-timeout", "strict", "report"):
        assert f"--brownout-{name}" in text


def test_marker_is_registered(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*QUIETLY, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.behaviour(id, *"])
