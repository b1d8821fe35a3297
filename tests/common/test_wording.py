from slu.common.wording import between, figure, with_interval


def test_figures_have_three_digits_and_absence_is_a_dash() -> None:
    assert (figure(0.98765), figure(None), between(None)) == ("0.988", "-", "-")
    assert with_interval(0.5, (0.25, 0.75)) == "0.500 (0.250 to 0.750)"
    assert with_interval(0.5, None) == "0.500"
