"""A decoder-only transformer: pre-norm, rotary positions, gated feed-forward, tied embeddings, no biases."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

HEAD = 32  # width of one attention head


@dataclass(frozen=True)
class Size:
    """The shape of a model.

    Parameters
    ----------
    width, layers : int
        Width of the residual stream (a multiple of HEAD) and number of blocks.
    vocabulary, context : int
        Number of tokens, and how many the model sees.
    """

    width: int
    layers: int
    vocabulary: int = 512
    context: int = 128

    @property
    def hidden(self) -> int:
        """Width inside the feed-forward: 8/3 of the width, so that its three matrices hold what two of 4 would."""
        return 8 * round(self.width / 3)

    @property
    def parameters_without_embeddings(self) -> int:
        """Parameters of the blocks and norms."""
        d = self.width
        return self.layers * (4 * d * d + 3 * d * self.hidden + 2 * d) + d

    @property
    def parameters(self) -> int:
        """All parameters. The embedding is also the output layer, so that 6 N D is what training multiplies."""
        return self.parameters_without_embeddings + self.vocabulary * self.width

    def flop(self, D: float) -> float:
        """Return the training FLOP of D tokens: 6 N D and the products of attention."""
        return D * (6 * self.parameters + 6 * self.layers * self.context * self.width)


SIZES = {
    "XS": Size(width=32, layers=2),
    "S": Size(width=64, layers=2),
    "M": Size(width=96, layers=3),
    "L": Size(width=128, layers=4),
    "XL": Size(width=160, layers=4),
}


def initial(size: Size, key: jax.Array) -> dict:
    """Draw the weights of an untrained model."""
    d, h = size.width, size.hidden
    residual = (2 * size.layers) ** -0.5  # keeps the sum over blocks at the scale of one
    shapes = {
        "qkv": (d, 3 * d, d**-0.5),
        "attended": (d, d, d**-0.5 * residual),
        "gate": (d, h, d**-0.5),
        "up": (d, h, d**-0.5),
        "down": (h, d, h**-0.5 * residual),
    }
    keys = iter(jax.random.split(key, 1 + size.layers * len(shapes)))
    embedding = jax.random.normal(next(keys), (size.vocabulary, d)) * d**-0.5
    blocks = [
        {name: jax.random.normal(next(keys), (m, n)) * scale for name, (m, n, scale) in shapes.items()}
        | {"attention_norm": jnp.ones(d), "feed_norm": jnp.ones(d)}
        for _ in range(size.layers)
    ]
    return {"embedding": embedding, "blocks": blocks, "norm": jnp.ones(d)}


def losses(parameters: dict, tokens: jax.Array) -> jax.Array:
    """Return the cross entropy in nats of every token but the first, shape (sequence, context).

    Parameters
    ----------
    parameters : dict
        From `initial`.
    tokens : array of int, shape (sequence, context + 1)
        What is read and, one place further, what is predicted.
    """
    predicted = logits(parameters, tokens[:, :-1])
    chosen = jnp.take_along_axis(predicted, tokens[:, 1:, None], axis=-1)[..., 0]
    return jax.nn.logsumexp(predicted, axis=-1) - chosen


def logits(parameters: dict, read: jax.Array) -> jax.Array:
    """Return the logits of the next token at every place, shape (sequence, place, vocabulary)."""
    embedding = parameters["embedding"]
    x = embedding[read] * embedding.shape[1] ** 0.5
    rotation = _rotation(read.shape[1])
    for block in parameters["blocks"]:
        x = x + _attention(block, _normed(x, block["attention_norm"]), rotation)
        y = _normed(x, block["feed_norm"])
        x = x + (jax.nn.silu(y @ block["gate"]) * (y @ block["up"])) @ block["down"]
    return _normed(x, parameters["norm"]) @ embedding.T


def _normed(x: jax.Array, scale: jax.Array) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6) * scale


def _rotation(context: int) -> tuple[jax.Array, jax.Array]:
    frequency = 1000.0 ** -(jnp.arange(HEAD // 2) / (HEAD // 2))
    angle = jnp.arange(context)[:, None] * frequency
    return jnp.cos(angle), jnp.sin(angle)


def _rotated(x: jax.Array, rotation: tuple[jax.Array, jax.Array]) -> jax.Array:
    (cos, sin), (a, b) = rotation, jnp.split(x, 2, axis=-1)
    return jnp.concatenate([a * cos - b * sin, a * sin + b * cos], axis=-1)


def _attention(block: dict, x: jax.Array, rotation: tuple[jax.Array, jax.Array]) -> jax.Array:
    sequences, context, width = x.shape
    split = (x @ block["qkv"]).reshape(sequences, context, 3, width // HEAD, HEAD)
    q, k, v = jnp.moveaxis(split, (2, 3), (0, 2))  # each (sequence, head, place, within head)
    q, k = _rotated(q, rotation), _rotated(k, rotation)
    scores = jnp.einsum("shqd,shkd->shqk", q, k) * HEAD**-0.5
    past = jnp.tril(jnp.ones((context, context), bool))
    weights = jax.nn.softmax(jnp.where(past, scores, -jnp.inf), axis=-1)
    mixed = jnp.moveaxis(jnp.einsum("shqk,shkd->shqd", weights, v), 1, 2)
    return mixed.reshape(sequences, context, width) @ block["attended"]
