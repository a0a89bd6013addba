"""Every card of the catalogue: its count, its form."""

import jax
import pytest

from jaxrestore.models.catalogue import list_models, model_card
from jaxrestore.weights.reference import variable_shapes


@pytest.mark.parametrize("name", list_models())
def test_has_the_published_number_of_parameters(name: str):
    card = model_card(name)
    for form, parameters in {None: card.parameters, **{form: described.parameters for form, described in card.forms.items()}}.items():
        assert sum(leaf.size for leaf in jax.tree.leaves(variable_shapes(card.create(form))["params"])) == parameters, form


@pytest.mark.parametrize("name", list_models())
def test_says_what_its_network_is(name: str):
    card = model_card(name)
    model = card.create()
    assert card.paper  # an address, or a title where there is none
    assert card.parameters > 0
    for said in ("channels", "scale", "multiple"):
        if hasattr(model, said) and not (said == "scale" and card.scales):
            assert getattr(model, said) == getattr(card, said), said
