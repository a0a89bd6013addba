"""Adversarial games: definitions, derivatives, who wants what; and penalties of discriminators that are known functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.losses import GAMES, gradient_penalty, r1
from tests.losses.numerical import assert_gradient

REAL, FAKE = np.random.default_rng(0).standard_normal((2, 3, 4, 5, 1))


def probability(scores: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-scores))


def test_minimax_is_a_zero_sum_game_of_probabilities():
    game = GAMES["minimax"]
    with jax.enable_x64(True):
        value = np.log(probability(REAL)).mean((1, 2, 3)) + np.log(1 - probability(FAKE)).mean((1, 2, 3))
        np.testing.assert_allclose(game.discriminator(REAL, FAKE), -value, rtol=1e-12)
        np.testing.assert_allclose(game.generator(FAKE), np.log(1 - probability(FAKE)).mean((1, 2, 3)), rtol=1e-12)
        np.testing.assert_allclose(GAMES["vanilla"].generator(FAKE), -np.log(probability(FAKE)).mean((1, 2, 3)), rtol=1e-12)
    assert GAMES["vanilla"] is GAMES["non_saturating"]


@pytest.mark.parametrize("name", ["relativistic_average", "relativistic_average_least_squares"])
def test_in_a_relativistic_game_the_generator_plays_the_discriminators_part(name):
    game = GAMES[name]
    np.testing.assert_allclose(game.generator(FAKE, REAL), game.discriminator(FAKE, REAL), rtol=1e-6)
    shifted = game.discriminator(REAL + 3.0, FAKE + 3.0)  # only differences count
    np.testing.assert_allclose(shifted, game.discriminator(REAL, FAKE), rtol=1e-5)
    with pytest.raises(InputError, match="needs the scores of real images too"):
        game.generator(FAKE)


@pytest.mark.parametrize("name", GAMES)
def test_both_players_want_what_they_should(name):
    game = GAMES[name]

    def discriminator(scores):
        return game.discriminator(scores[0], scores[1])

    def generator(scores):
        return game.generator(scores[1], scores[0])

    assert_gradient(lambda scores: jnp.stack([discriminator(scores), generator(scores)]), 0.3 * np.stack([REAL, FAKE]))
    for player, direction in ((discriminator, 1.0), (generator, -1.0)):
        value, slope = jax.value_and_grad(lambda s, player=player: player(s).sum())(jnp.full((2, 3, 1), 0.5, jnp.bfloat16))
        assert value.dtype == jnp.float32
        # Higher scores of made images please the generator and displease the discriminator, at scores of 0.5.
        assert (direction * slope[1] > 0).all()
        assert (direction * slope[0] <= 0).all()
    assert game.discriminator(REAL[:, 0, 0, 0], FAKE[:, 0, 0, 0]).shape == (3,)


def test_confident_scores_cost_nothing_and_overflow_nowhere():
    real, fake = np.full((2, 1), 1e4, np.float32), np.full((2, 1), -1e4, np.float32)
    for name in ("minimax", "vanilla", "hinge", "relativistic_average"):
        np.testing.assert_array_equal(GAMES[name].discriminator(real, fake), 0.0)
        assert np.isfinite(GAMES[name].discriminator(fake, real)).all()


def test_scores_that_differ_in_shape_are_refused():
    with pytest.raises(InputError, match="differ in shape"):
        GAMES["hinge"].discriminator(REAL, FAKE[:2])


def test_penalties_of_a_linear_critic_are_those_of_its_slope():
    weights = np.full((4, 5, 1), 0.5, np.float32)
    critic = lambda images: jnp.sum(images * weights[None], (1, 2))  # noqa: E731
    norm = np.sqrt((weights**2).sum())
    images = REAL.astype(np.float32), FAKE.astype(np.float32)
    np.testing.assert_allclose(gradient_penalty(critic, jax.random.key(0), *images), (norm - 1) ** 2, rtol=1e-5)
    np.testing.assert_allclose(r1(critic, images[0]), norm**2 / 2, rtol=1e-5)


def test_penalties_of_a_quadratic_critic():
    critic = lambda images: jnp.sum(jnp.square(images), (1, 2, 3)) / 2  # the gradient is the image  # noqa: E731
    real, fake = np.zeros_like(REAL, np.float32), FAKE.astype(np.float32)
    lengths = np.linalg.norm(fake.reshape(3, -1), axis=1)
    np.testing.assert_allclose(r1(critic, fake), lengths**2 / 2, rtol=1e-5)
    # Between zero and an image the gradient's norm tells where the point was drawn: a place of its own for every pair, inside.
    penalty = gradient_penalty(critic, jax.random.key(3), real, fake)
    shares = (1 + np.sqrt(penalty)) / lengths
    shares = np.where(shares <= 1, shares, (1 - np.sqrt(penalty)) / lengths)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert len(set(np.round(shares, 4))) == 3


def test_penalties_teach_the_discriminator():
    def critic(weights):
        return lambda x: jnp.tanh(x.reshape(3, -1) @ weights)

    weights = np.random.default_rng(1).standard_normal((20, 2))
    with jax.enable_x64(True):
        images = tuple(jnp.asarray(x, jnp.float64) for x in (REAL, FAKE))
        assert_gradient(lambda w: gradient_penalty(critic(w), jax.random.key(0), *images), weights, rtol=1e-5)
        assert_gradient(lambda w: r1(critic(w), images[0]), weights, rtol=1e-5)
        flat = jax.grad(lambda w: gradient_penalty(critic(w), jax.random.key(0), *images).sum())(jnp.zeros((20, 2)))
    assert np.isfinite(flat).all()
    with pytest.raises(InputError, match="differ in shape"):
        gradient_penalty(critic(weights), jax.random.key(0), REAL, FAKE[:2])
