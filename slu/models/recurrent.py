"""Recurrent encoders: a plain RNN, an LSTM or a GRU reads the clip, and one vector of it is kept.

Why a plain RNN fails where only its last state is kept (RAVDESS, 13 MFCCs, at the start of training): unscaled
MFCCs saturate 95 % of its tanh units; clips end in 0.8 s of near-silence, after which the last states of different
clips are all but equal (0.2 % of the spread of all states); and the gradient at the input has fallen by 10^7 within
five frames. It vanishes, it does not explode: clipping changes nothing. Averaged and normalised states, a normalised
input and orthogonal recurrent weights mend it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slu.models.layers import NORMS, frame_mask

CELLS: dict[str, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
POOLINGS = ("mean", "max", "attention", "last")
RECURRENT_INITS = ("uniform", "orthogonal", "identity")


class Recurrent(nn.Module):
    """(batch, frames, features), lengths -> (batch, 1, dense), ones: states, pooled over the clip's own frames."""

    def __init__(
        self,
        n_features: int,
        *,
        cell: str = "lstm",
        hidden: int = 64,
        layers: int = 1,
        bidirectional: bool = False,
        dense: int = 32,
        dropout: float = 0.1,
        pooling: str = "mean",
        pooled_norm: bool = True,
        input_norm: str = "batch",
        recurrent_init: str = "orthogonal",
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("cell", cell, tuple(CELLS)),
            ("pooling", pooling, POOLINGS),
            ("input_norm", input_norm, (*NORMS, "none")),
            ("recurrent_init", recurrent_init, RECURRENT_INITS),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got '{value}'")
        if min(hidden, layers, dense) < 1:
            raise ValueError(f"hidden, layers and dense must be 1 or more, got {hidden}, {layers} and {dense}")
        self.d_model, self.hidden, self.pooling = dense, hidden, pooling
        self.input_norm = None if input_norm == "none" else NORMS[input_norm](n_features)
        width = hidden * (2 if bidirectional else 1)
        self.layers = nn.ModuleList(
            _Layer(cell, width if above else n_features, hidden, bidirectional, recurrent_init)
            for above in range(layers)
        )
        self.scores = nn.Linear(width, 1) if pooling == "attention" else None
        # Averaged states all but cancel out: as they are, dozens of batches pass before anything is learnt.
        self.pooled_norm = nn.LayerNorm(width) if pooled_norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(width, dense)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        mask = frame_mask(lengths, x.shape[1])
        if self.input_norm is not None:
            x = self.input_norm(x, mask)
        for layer in self.layers:
            x = layer(x, lengths)
        pooled = self.dropout(self.pooled_norm(self._pool(x, lengths, mask.unsqueeze(-1))))
        return F.relu(self.dense(pooled)).unsqueeze(1), torch.ones_like(lengths)

    def _pool(self, x: Tensor, lengths: Tensor, mask: Tensor) -> Tensor:
        """(batch, frames, width) -> (batch, width)."""
        if self.pooling == "mean":
            return x.masked_fill(~mask, 0.0).sum(1) / lengths.unsqueeze(1)
        if self.pooling == "max":
            return x.masked_fill(~mask, -math.inf).amax(1)
        if self.scores is not None:
            weights = self.scores(x).masked_fill(~mask, -math.inf).softmax(dim=1)
            weighted: Tensor = x.masked_fill(~mask, 0.0) * weights
            return weighted.sum(1)
        end = (lengths - 1).view(-1, 1, 1).expand(-1, 1, self.hidden)
        last = x[:, :, : self.hidden].gather(1, end).squeeze(1)
        # Backwards in time, the last frame that is read is the first of the clip: one direction ends, one begins.
        return last if x.shape[2] == self.hidden else torch.cat([last, x[:, 0, self.hidden :]], dim=1)


class _Layer(nn.Module):
    """One or two directions over right-padded clips. Neither ever reads padding before a real frame."""

    def __init__(self, cell: str, inputs: int, hidden: int, bidirectional: bool, recurrent_init: str) -> None:
        super().__init__()
        self.forwards = _cell(cell, inputs, hidden, recurrent_init)
        self.backwards = _cell(cell, inputs, hidden, recurrent_init) if bidirectional else None

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        states = self.forwards(x)[0]
        if self.backwards is None:
            return states  # type: ignore[no-any-return]
        return torch.cat([states, _turned(self.backwards(_turned(x, lengths))[0], lengths)], dim=2)


def _turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Each clip's real frames in reverse order, its padding where it was."""
    frame = torch.arange(x.shape[1], device=x.device)
    order = torch.where(frame < lengths[:, None], lengths[:, None] - 1 - frame, frame)
    return x.gather(1, order.unsqueeze(-1).expand_as(x))


def _cell(cell: str, inputs: int, hidden: int, recurrent_init: str) -> nn.RNNBase:
    rnn = CELLS[cell](inputs, hidden, batch_first=True)
    if recurrent_init == "uniform":  # torch's own
        return rnn
    weights = {name.removesuffix("_l0"): parameter.data for name, parameter in rnn.named_parameters()}
    for gate in weights["weight_hh"].split(hidden):  # type: ignore[no-untyped-call]
        nn.init.orthogonal_(gate) if recurrent_init == "orthogonal" else nn.init.eye_(gate)
    nn.init.xavier_uniform_(weights["weight_ih"])
    nn.init.zeros_(weights["bias_ih"])
    nn.init.zeros_(weights["bias_hh"])
    if cell == "lstm":  # the forget gate starts open (Jozefowicz et al., 2015)
        nn.init.ones_(weights["bias_ih"][hidden : 2 * hidden])
    return rnn
