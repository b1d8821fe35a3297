"""Frame scores of phones and words, searched through the menu's own word graph.

A network that listens and a grammar that knows what can be said, as in hybrid speech recognisers (Bourlard and
Morgan, 1994): the network has to tell sounds apart, not to learn what a command is.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from slu.decoding.grammar import Grammar
from slu.decoding.search import Found, Search, Weights
from slu.models.evidence import WORST, evidence
from slu.models.listener import FrameScores, Listener, mixed
from slu.models.recogniser import Heard, Recogniser
from slu.spec import TaskSpec

_LEAST = -50.0
"""Of a class that the menu does not allow with what was heard: its logit."""


class HybridRecogniser(Recogniser):
    """Answers by a search over the frames, to which the pooled heads add their vote.

    Several listeners may hear a clip; each learns by itself, and what they hear is averaged before the search. Features
    (batch, frames, size) and lengths (batch,) -> logits (batch, classes) by head name; in training those of the pooled
    heads alone.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        shares: Sequence[float],
        spec: TaskSpec,
        grammar: Grammar,
        *,
        pooled: float = 1.0,
        sharpness: float = 1.0,
        prior: float = 0.5,
        **weights: float,
    ) -> None:
        """`shares` of the listeners sum to 1; `weights` are those of slu.decoding.search."""
        super().__init__()
        if len({listener.stride for listener in listeners}) != 1:
            raise ValueError("what hears a clip together needs one stride")
        self.listeners, self.shares = nn.ModuleList(listeners), tuple(shares)
        self.pooled, self.sharpness, self.prior = pooled, sharpness, prior
        self.grammar, self.stride = grammar, listeners[0].stride
        self.head_names = spec.head_names
        self.search = Search(grammar, {h.name: h.classes for h in spec.heads}, Weights(**weights))
        self.phone_prior: Tensor
        self.word_prior: Tensor
        self.register_buffer("phone_prior", torch.zeros(len(grammar.phones)))
        self.register_buffer("word_prior", torch.zeros(len(grammar.words)))

    def learn_priors(self, phones: Tensor, words: Tensor) -> None:
        """How often each is heard in training, (phones,) and (words,) counts of frames.

        A network's posterior divided by the prior is what a search wants, a likelihood (Bourlard and Morgan, 1994):
        otherwise what is frequent in training, above all the pause, is heard in every doubt.
        """
        for prior, counts in ((self.phone_prior, phones), (self.word_prior, words)):
            prior.copy_(((counts + 1) / (counts + 1).sum()).log())

    def listen(self, features: Tensor, lengths: Tensor) -> list[FrameScores]:
        """What each of the listeners hears."""
        return [listener(features, lengths) for listener in self.listeners]

    def frames(self, features: Tensor, lengths: Tensor) -> FrameScores:
        """What they hear together."""
        return mixed(self.listen(features, lengths), self.shares)

    def forward(self, features: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        heard = self.frames(features, lengths)
        return heard.heads if self.training else self.answer(heard)

    def answer(self, heard: FrameScores) -> dict[str, Tensor]:
        """Logits by head: of the search, and of the pooled heads as they are weighted."""
        return self._logits(heard, self.search(*self.likelihoods(heard), heard.lengths))

    def outputs(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Phones, words and the logits of the pooled heads of the first listener, then those of the next."""
        each = self.listen(features, lengths)
        return tuple(values for one in each for values in (one.phones, one.words, *one.heads.values()))

    def conclude(self, outputs: Sequence[Tensor], lengths: Tensor) -> Heard:
        """The answer, and the evidence of slu.models.evidence with that of the pooled heads: log-probability of the
        answered class, in the head that has the least of it, on the whole (`pooled`) and for the listener that is
        least convinced (`convinced`)."""
        frames = (lengths - 1).div(self.stride, rounding_mode="floor") + 1
        size = len(outputs) // len(self.listeners)
        each = [
            FrameScores(phones, words, dict(zip(self.head_names, heads, strict=True)), frames)
            for phones, words, *heads in (outputs[i : i + size] for i in range(0, len(outputs), size))
        ]
        heard = mixed(each, self.shares)
        fair = self.likelihoods(heard)
        found = self.search(*fair, heard.lengths)
        logits = self._logits(heard, found)
        sounds, *of_each = [(one.phones.log_softmax(2), one.words.log_softmax(2)) for one in (heard, *each)]
        known = evidence(self.search, found, sounds, fair, heard.lengths, of_each)
        convinced = torch.stack([_least(one.heads, logits) for one in each]).amin(0).clamp(min=WORST)
        return Heard(logits, {**known, "pooled": _least(heard.heads, logits), "convinced": convinced})

    def _logits(self, heard: FrameScores, found: Found) -> dict[str, Tensor]:
        return {
            name: (self.sharpness * found.classes[name]).clamp(min=_LEAST) + self.pooled * logits.log_softmax(1)
            for name, logits in heard.heads.items()
        }

    def likelihoods(self, heard: FrameScores) -> tuple[Tensor, Tensor]:
        """Of phones and words, (batch, frames, …), natural logarithm, up to a constant per frame."""
        phones = heard.phones.log_softmax(2) - self.prior * self.phone_prior
        return phones, heard.words.log_softmax(2) - self.prior * self.word_prior

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
        phones, words = self.likelihoods(heard)
        return self.search.path(phones[0], words[0], graph)


def _least(heads: Mapping[str, Tensor], answers: Mapping[str, Tensor]) -> Tensor:
    """(batch,) log-probability of the answered class, in the head that gives it the least."""
    votes = [heads[name].log_softmax(1).gather(1, values.argmax(1, keepdim=True)) for name, values in answers.items()]
    return torch.cat(votes, 1).amin(1)
