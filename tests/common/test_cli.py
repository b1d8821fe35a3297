"""How commands end: exit codes, one sentence on stderr, and a traceback only for our own bugs."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slu.common.cli import compose, reports_errors, require_writable, run_command
from slu.common.errors import UserError


def _ends(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    @reports_errors
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        command()
    out, err = capsys.readouterr()
    assert out == ""
    return caught.value.code, err


def test_a_user_error_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _ends(UserError("data.csv:3: column 'qty' is empty"), capsys)
    assert code == 2
    assert text == "error: data.csv:3: column 'qty' is empty\n"


def test_a_full_disk_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _ends(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "outputs/x.npy"), capsys)
    assert code == 2
    assert text.startswith("error: the disk is full: outputs/x.npy")
    assert text.count("\n") == 1
    assert _ends(OSError(errno.EROFS, "whatever"), capsys)[1].startswith("error: the file system is read-only: ")


def test_a_path_that_cannot_be_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("link")
    for path, kind, words in (
        (tmp_path, IsADirectoryError, "it is a folder, where a file is meant"),
        (tmp_path / "file" / "x.csv", NotADirectoryError, "a part of the path is a file, where a folder is meant"),
        (tmp_path / "link", OSError, "the link leads back to itself"),
        (tmp_path / ("n" * 300), OSError, "the name is too long"),
    ):
        with pytest.raises(kind, match="Errno") as caught:
            path.read_bytes()
        code, text = _ends(caught.value, capsys)
        assert (code, text.count("\n")) == (2, 1)
        assert text.startswith(f"error: {words}: {tmp_path}")
        assert len(text) < 300
    with pytest.raises(FileExistsError) as exists:
        (tmp_path / "file").mkdir()
    assert _ends(exists.value, capsys)[1] == f"error: there is something of that name already: {tmp_path / 'file'}\n"


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = _ends(KeyboardInterrupt(), capsys)
    assert code == 130
    assert "stopped" in text


@pytest.mark.parametrize("error", [OSError(errno.EIO, "input/output error"), RuntimeError("a bug")])
def test_what_is_not_the_users_fault_keeps_its_traceback(error: Exception) -> None:
    @reports_errors
    def command() -> None:
        raise error

    with pytest.raises(type(error)):
        command()


def test_the_result_of_a_command_passes_through() -> None:
    @reports_errors
    def command(value: int, *, twice: bool) -> int:
        return 2 * value if twice else value

    assert command(21, twice=True) == 42


def test_a_closed_pipe_ends_quietly() -> None:
    script = (
        "from slu.common.cli import reports_errors\n"
        "@reports_errors\n"
        "def main():\n"
        "    for i in range(10**6): print(i, flush=True)\n"
        "main()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 1


def test_the_list_of_commands_may_be_cut_short() -> None:
    with subprocess.Popen([sys.executable, "-m", "slu"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 1


def test_hydras_switch_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    seen = []
    compose(lambda: seen.append(os.environ["HYDRA_FULL_ERROR"]))
    assert seen == ["1"]
    assert "HYDRA_FULL_ERROR" not in os.environ
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    compose(lambda: seen.append(os.environ["HYDRA_FULL_ERROR"]))
    assert os.environ["HYDRA_FULL_ERROR"] == "0"


def test_require_writable(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=rf"cannot write to {tmp_path}/file/outputs: a part of the path is a file"):
        require_writable(tmp_path / "file" / "outputs")


def test_a_full_disk_keeps_no_probe(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys; from pathlib import Path; from slu.common.cli import require_writable\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "require_writable(Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "out"], capture_output=True, text=True)
    assert f"cannot write to {tmp_path / 'out'}: File too large" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_command_does_not_start_when_its_outputs_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[int] = []
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["slu", "seed=1", "outputs=file"])
    with pytest.raises(SystemExit) as caught:
        run_command(lambda: started.append(1))
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: cannot write to file: ")
    monkeypatch.setattr(sys, "argv", ["slu", "outputs=file", "--help"])
    run_command(lambda: started.append(2))
    monkeypatch.setattr(sys, "argv", ["slu"])
    run_command(lambda: started.append(3))
    assert started == [2, 3]
    assert (tmp_path / "outputs").is_dir()
