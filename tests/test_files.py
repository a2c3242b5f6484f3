import os
from pathlib import Path

import pytest

from bayesmix.errors import BayesmixError, WouldOverwriteError
from bayesmix.files import refuse_overwrite, write_whole


def contents(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_file_is_written_into_folders_that_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "x.txt"
    assert write_whole(path, lambda p: p.write_text("new")) == path
    assert path.read_text() == "new"
    assert contents(path.parent) == ["x.txt"]


def test_an_existing_file_is_not_replaced_unasked(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(WouldOverwriteError) as caught:
        write_whole(path, lambda p: pytest.fail("written in vain"))
    assert str(caught.value) == f"{path} exists. Choose another name, or ask for it to be replaced (--force)"
    assert path.read_text() == "old"
    write_whole(path, lambda p: p.write_text("new"), overwrite=True)
    assert path.read_text() == "new"


@pytest.mark.parametrize("existing", [False, True])
def test_a_writer_that_fails_half_way_leaves_everything_as_it_was(tmp_path, existing):
    path = tmp_path / "x.txt"
    if existing:
        path.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, fail, overwrite=True)
    assert contents(tmp_path) == (["x.txt"] if existing else [])
    assert not existing or path.read_text() == "old"


def test_the_file_is_not_there_before_it_is_whole(tmp_path):
    path = tmp_path / "x.txt"

    def write(temporary):
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent.parent == tmp_path, "on another disk the last step could fail half-way"

    write_whole(path, write)
    assert path.exists()


def test_a_folder_replaces_a_folder_whole(tmp_path):
    path = tmp_path / "report"

    def write(names):
        def make(temporary):
            temporary.mkdir()
            for name in names:
                (temporary / name).write_text(name)

        return make

    write_whole(path, write(["a", "b"]), marker="a")
    write_whole(path, write(["c"]), overwrite=True, marker="a")
    assert contents(path) == ["c"]
    assert contents(tmp_path) == ["report"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_folder_that_cannot_be_replaced_is_left_as_it_was(tmp_path, monkeypatch, error):
    path, replace = tmp_path / "report", os.replace
    path.mkdir()
    (path / "old").write_text("precious")

    def fail(source, target):
        if Path(source).name == "report" and Path(target) == path:
            raise error
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(error):
        write_whole(path, lambda p: p.mkdir(), overwrite=True, marker="old")
    assert contents(tmp_path) == ["report"]
    assert (path / "old").read_text() == "precious"


def test_a_folder_is_kept_beside_until_another_is_in_its_place(tmp_path, monkeypatch):
    path, replace, kept = tmp_path / "report", os.replace, []
    path.mkdir()
    (path / "old").write_text("precious")

    def look(source, target):
        if not path.exists():  # where a kill would leave it
            kept.extend(p.read_text() for p in tmp_path.glob("report-*-replaced/old"))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    write_whole(path, lambda p: p.mkdir(), overwrite=True, marker="old")
    assert kept == ["precious"]
    assert contents(tmp_path) == ["report"]
    assert contents(path) == []


def test_refusing_looks_before_long_work(tmp_path):
    refuse_overwrite(tmp_path / "new", overwrite=False)
    refuse_overwrite(tmp_path, overwrite=True, marker="report.html")
    with pytest.raises(WouldOverwriteError):
        refuse_overwrite(tmp_path, overwrite=False, marker="report.html")


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(WouldOverwriteError, match=r"is a folder\. Name a file"):
        write_whole(tmp_path, lambda p: p.write_text("a table"), overwrite=True)
    with pytest.raises(WouldOverwriteError, match=r"holds something else, .*: it has no report\.html"):
        write_whole(tmp_path, lambda p: p.mkdir(), overwrite=True, marker="report.html")
    with pytest.raises(WouldOverwriteError, match=r"is a file\. Name a folder"):
        write_whole(tmp_path / "thesis.tex", lambda p: p.mkdir(), overwrite=True, marker="report.html")
    assert contents(tmp_path) == ["thesis.tex"]
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_place_where_nothing_can_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(BayesmixError, match="is not a folder that you may write to"):
        refuse_overwrite(tmp_path / "file" / "x.nc", overwrite=False)
