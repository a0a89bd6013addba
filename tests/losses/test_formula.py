"""The text of losses: it means what it says, goes round, and says what is wrong with it."""

import numpy as np
import pytest

from jaxrestore import losses
from jaxrestore.errors import InputError
from jaxrestore.losses.formula import LOSSES, Formula, Term, parse
from tests.losses.test_image_losses import LOSSES as TESTED

A, B = np.random.default_rng(0).random((2, 2, 12, 13, 1)).astype(np.float32)


def test_is_the_weighted_sum_of_the_losses_it_names():
    loss = parse("l1 + 0.1*fft + 1e-4 * total_variation:form=isotropic")
    expected = losses.l1(A, B) + 0.1 * losses.fft(A, B) + 1e-4 * losses.total_variation(A, "isotropic")
    np.testing.assert_allclose(loss(A, B), expected, rtol=1e-6)
    assert loss(A, B).shape == (2,)
    np.testing.assert_array_equal(parse("mse")(A, B), losses.mse(A, B))
    np.testing.assert_array_equal(parse("charbonnier:epsilon=0.5")(A, B), losses.charbonnier(A, B, epsilon=0.5))


def test_goes_round():
    text = "l1+0.1*fft+0.5*l1_ms_ssim:alpha=0.3+total_variation:form=isotropic"
    assert str(parse(text)) == text
    assert parse("2*huber:delta=1") == Formula((Term("huber", 2.0, (("delta", 1.0),)),))
    assert len({parse("l1"), parse("1*l1"), parse("1.0 * l1")}) == 1


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_one_that_the_tests_of_image_losses_know(name):
    assert name in TESTED
    assert parse(name) == Formula((Term(name),))
    assert LOSSES[name] is getattr(losses, name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("l3", "unknown loss: 'l3'; there are l1, mse"),
        ("mes", "unknown loss: 'mes', did you mean mse"),
        ("", "empty term"),
        ("l1+", "empty term"),
        ("l1++fft", "empty term"),
        ("x*l1", "the weight 'x' must be a number greater than 0"),
        ("0*l1", "the weight '0' must be"),
        ("-1*l1", "the weight '-1' must be"),
        ("nan*l1", "the weight 'nan' must be"),
        ("0.1*", "does not begin with a name"),
        ("0.1*2*l1", "unknown loss: '2[*]l1'"),
        ("huber:delt=1", "unknown argument of huber: 'delt', did you mean delta?"),
        ("l1:delta=1", "unknown argument of l1"),
        ("huber:delta", "is not argument=value"),
        ("huber:delta=wide", "huber: delta is 'wide': it must be a number"),
        ("huber:delta=1..2", "huber: delta is '1..2': it must be a number"),
        ("huber:delta=-1", "huber: delta is -1: it must be greater than 0"),
        ("total_variation:form=round", "form is 'round'"),
        ("ms_ssim:weights=1", "unknown argument of ms_ssim"),
    ],
)
def test_what_is_wrong_is_said(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
