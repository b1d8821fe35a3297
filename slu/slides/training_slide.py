"""How the training went: loss and validation objective over epochs."""

from slu.documents.page import Picture, Text
from slu.documents.slide_parts import Columns, Slide, SlidePart
from slu.slides.figures import loss_figure, objective_figure
from slu.slides.missing import missing_slide
from slu.slides.sources import Sources
from slu.slides.words import Missing, cite, counted


def training_slide(s: Sources) -> Slide:
    log = s.training
    if isinstance(log, Missing):
        return missing_slide("Training curves", log)
    notes = [cite(log.path, "losses and objective per epoch")]
    parts: list[SlidePart] = [Picture(loss_figure(log.losses), "Loss over epochs")]
    if log.objective is None or log.best_epoch is None:
        parts.append(Text("There was no validation: the weights of the last epoch were kept.", "warning"))
        return Slide(f"{counted(log.epochs, 'epoch')} of training without validation", Columns(parts), notes)
    best = log.best_epoch
    parts.append(Picture(objective_figure(log.objective, best), "Validation objective over epochs"))
    when = "the last one" if best == log.epochs else f"epoch {best}"
    title = f"{counted(log.epochs, 'epoch')} of training; the validation objective was best in {when}: "
    title += f"{float(log.objective[best]):.3f}"
    notes.append("The objective is a validation figure; no test figure chose the epoch.")
    return Slide(title, Columns(parts), notes)
