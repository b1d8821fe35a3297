"""Frame scores of phones and words, searched through the menu's own word graph.

A network that listens and a grammar that knows what can be said, as in hybrid speech recognisers (Bourlard and
Morgan, 1994): the network has to tell sounds apart, not to learn what a command is.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slu.decoding.grammar import Grammar
from slu.decoding.search import Search, Weights
from slu.models.layers import SpeechNorm, frame_mask
from slu.models.recogniser import Recogniser
from slu.spec import TaskSpec

_LEAST = -50.0
"""Of a class that the menu does not allow with what was heard: its logit."""


class FrameScores(NamedTuple):
    phones: Tensor
    """(batch, frames, phones) logits; frames are `stride` features apart."""
    words: Tensor
    """(batch, frames, words) logits."""
    heads: dict[str, Tensor]
    """(batch, classes) logits of the pooled frames: one attention query per head."""
    lengths: Tensor
    """(batch,) frames."""


class HybridRecogniser(Recogniser):
    """Answers by a search over the frames, to which the pooled heads add their vote.

    Features (batch, frames, size) and lengths (batch,) -> logits (batch, classes) by head name; in training those of
    the pooled heads alone.
    """

    def __init__(
        self, encoder: nn.Module, n_features: int, spec: TaskSpec, *, dropout: float, settings: Mapping[str, Any]
    ) -> None:
        super().__init__(encoder, n_features, spec, dropout=dropout, normalise="none")
        if not spec.grammar:
            raise ValueError("it needs a menu, and voices that speak it: data.synthetic_speech=true with a menu")
        options = dict(settings)
        self.pooled, self.sharpness = float(options.pop("pooled", 1.0)), float(options.pop("sharpness", 1.0))
        baseline, range_db = str(options.pop("baseline", "bands")), float(options.pop("range_db", 45.0))
        self.grammar = Grammar.from_json(spec.grammar)
        self.search = Search(self.grammar, {h.name: h.classes for h in spec.heads}, Weights(**options))
        self.normalise = SpeechNorm(n_features, baseline, range_db)
        self.stride = int(encoder.stride)  # type: ignore[arg-type]
        channels = int(encoder.d_model)  # type: ignore[arg-type]
        self.dropout = nn.Dropout(dropout)
        self.phones = nn.Linear(channels, len(self.grammar.phones))
        self.words = nn.Linear(channels, len(self.grammar.words))

    def frames(self, features: Tensor, lengths: Tensor) -> FrameScores:
        x = self.normalise(features, frame_mask(lengths, features.shape[1]))
        x, lengths = self.encoder(x, lengths)
        heads = self.heads(x, frame_mask(lengths, x.shape[1]))
        x = self.dropout(x)
        return FrameScores(self.phones(x), self.words(x), heads, lengths)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        heard = self.frames(features, lengths)
        return heard.heads if self.training else self.answer(heard)

    def answer(self, heard: FrameScores) -> dict[str, Tensor]:
        """Logits by head: of the search, and of the pooled heads as they are weighted."""
        found = self.search(heard.phones.log_softmax(2), heard.words.log_softmax(2), heard.lengths)
        return {
            name: (self.sharpness * found.classes[name]).clamp(min=_LEAST) + self.pooled * logits.log_softmax(1)
            for name, logits in heard.heads.items()
        }

    @torch.inference_mode()
    def align(self, features: Tensor, labels: Mapping[str, str]) -> list[tuple[int, int]] | None:
        """(phone, word) indices of every frame of one clip (frames, size) that says `labels`; None if it cannot.

        One entry per `stride` features.
        """
        try:
            graph = self.search.graph.restricted(labels)
        except ValueError:
            return None
        heard = self.frames(features[None], torch.tensor([len(features)]))
        return self.search.path(heard.phones[0].log_softmax(1), heard.words[0].log_softmax(1), graph)
