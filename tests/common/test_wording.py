from slu.common.wording import balance_matters, between, figure, with_interval


def test_figures_have_three_digits_and_absence_is_a_dash() -> None:
    assert (figure(0.98765), figure(None), between(None)) == ("0.988", "-", "-")
    assert with_interval(0.5, (0.25, 0.75)) == "0.500 (0.250 to 0.750)"
    assert with_interval(0.5, None) == "0.500"


def test_balance_matters_with_two_classes_and_with_uneven_ones() -> None:
    def head(*counts: int) -> dict[str, dict[str, dict[str, int]]]:
        return {"classes": {str(i): {"n": n} for i, n in enumerate(counts)}}

    assert balance_matters(head(5, 5))
    assert balance_matters(head(30, 12, 10))
    assert not balance_matters(head(29, 12, 10))
    assert not balance_matters(head(10, 10, 0))
    assert not balance_matters({"n": 0})
