import pytest

from untwist.errors import DataError
from untwist.evaluate import Matrix, Table, table_markdown


def test_a_table_in_markdown():
    table = Table("Things", ("name", "n"), (("a", "1"),), "A note.")
    assert table_markdown(table) == "## Things\n\n| name | n |\n| --- | --- |\n| a | 1 |\n\nA note."
    assert table_markdown(table, 4).startswith("#### Things")
    assert table_markdown(Table("", ("a",), ())) == "| a |\n| --- |"


def test_bars_and_line_ends_stay_within_their_cell():
    text = table_markdown(Table("", ("a", "b"), (("x|y", "one\ntwo"),)))
    assert text.splitlines()[-1] == "| x\\|y | one two |"


def test_a_ragged_table_is_refused():
    with pytest.raises(DataError, match="row 2 of a table has 1 cells, its header 2"):
        Table("", ("a", "b"), (("1", "2"), ("1",)))


def matrix(**changes):
    given = {
        "title": "From corpus to corpus",
        "metric": "micro-F1",
        "rows": ("one", "two"),
        "columns": ("three", "four", "five"),
        "values": ((0.5, None, 0.25), (1.0, 0.0, 0.125)),
        "counts": ((10, None, 30), (10, 20, 30)),
        "protocol": "as agreed",
        "command": "make it",
    }
    return Matrix(**(given | changes))


def test_a_matrix_as_a_table():
    text = matrix().to_markdown(".2f", "not run")
    assert "| micro-F1 | three | four | five |" in text
    assert "| one | 0.50 (n = 10) | not run | 0.25 (n = 30) |" in text
    assert text.endswith("as agreed\n\nCommand: `make it`\n")
    assert "| two | 1.000 | 0.000 | 0.125 |" in matrix(counts=None).to_markdown()


def test_a_matrix_reads_back():
    for one in (matrix(), matrix(counts=None)):
        assert Matrix.from_dict(one.to_dict()) == one


def test_a_matrix_of_another_form_than_its_names_is_refused():
    with pytest.raises(DataError, match="values of a matrix must be 2 rows of 3"):
        matrix(values=((0.5, None), (1.0, 0.0)))
    with pytest.raises(DataError, match="counts of a matrix must be 2 rows of 3"):
        matrix(counts=((1, 2, 3),))
    with pytest.raises(DataError, match="'rows' is a required property"):
        Matrix.from_dict({k: v for k, v in matrix().to_dict().items() if k != "rows"})
