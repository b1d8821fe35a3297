"""Frame scores of phones and words, searched through the menu's own word graph.

A network that listens and a grammar that knows what can be said, as in hybrid speech recognisers (Bourlard and
Morgan, 1994): the network has to tell sounds apart, not to learn what a command is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from slu.decoding.grammar import Grammar
from slu.inference.conclusion import SearchConclusion
from slu.models.listener import FrameScores, Listener
from slu.models.recogniser import Recogniser, as_arrays
from slu.spec import TaskSpec


class HybridRecogniser(Recogniser):
    """Answers by a search over the frames, to which the pooled heads add their vote.

    Several listeners may hear a clip; each learns by itself, and what they hear is averaged before the search. Features
    (batch, frames, size) and lengths (batch,) -> logits (batch, classes) by head name.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        shares: Sequence[float],
        spec: TaskSpec,
        grammar: Grammar,
        **decoding: Any,
    ) -> None:
        """`shares` of the listeners sum to 1; `decoding` is as of SearchConclusion."""
        super().__init__()
        if len({listener.stride for listener in listeners}) != 1:
            raise ValueError("what hears a clip together needs one stride")
        self.listeners = nn.ModuleList(listeners)
        self.grammar, self.stride = grammar, listeners[0].stride
        self._conclusion = SearchConclusion(spec, stride=self.stride, shares=shares, **decoding)
        self.phone_prior: Tensor
        self.word_prior: Tensor
        self.register_buffer("phone_prior", torch.zeros(len(grammar.phones)))
        self.register_buffer("word_prior", torch.zeros(len(grammar.words)))

    def learn_priors(self, phones: Tensor, words: Tensor) -> None:
        """How often each is heard in training, (phones,) and (words,) counts of frames.

        Without them what is frequent in training, above all the pause, is heard in every doubt.
        """
        for prior, counts in ((self.phone_prior, phones), (self.word_prior, words)):
            prior.copy_(((counts + 1) / (counts + 1).sum()).log())

    def listen(self, features: Tensor, lengths: Tensor) -> list[FrameScores]:
        """What each of the listeners hears."""
        return [listener(features, lengths) for listener in self.listeners]

    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        each = self.listen(features, lengths)
        return tuple(values for one in each for values in (one.phones, one.words, *one.heads.values()))

    def conclusion(self) -> SearchConclusion:
        self._conclusion.priors = (self.phone_prior.tolist(), self.word_prior.tolist())  # as they are learnt by now
        return self._conclusion

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Not to be learnt through: a training takes what each of the listeners hears."""
        with torch.no_grad():
            outputs = as_arrays(self.outputs(features, lengths))
        logits = self.conclusion().logits(outputs, lengths.cpu().numpy())
        return {name: torch.from_numpy(values).to(features.device) for name, values in logits.items()}

    @torch.inference_mode()
    def align(self, features: Tensor, labels: Mapping[str, str]) -> list[tuple[int, int]] | None:
        """(phone, word) indices of every frame of one clip (frames, size) that says `labels`; None if it cannot.

        One entry per `stride` features.
        """
        return self.conclusion().align(
            as_arrays(self.outputs(features[None], torch.tensor([len(features)], device=features.device))), labels
        )
