"""Where examples come from: `Bars`, the paper's generator; `Images`, a finite data set; or a class of one's own."""

from fastws.streams.bars import MAX_ENUMERATED_SIZE, Bars
from fastws.streams.halves import OnePhase
from fastws.streams.images import Images
from fastws.streams.protocol import LearningStream, RowStream, Stream
from fastws.streams.saved import stream_from_description

__all__ = [
    "MAX_ENUMERATED_SIZE",
    "Bars",
    "Images",
    "LearningStream",
    "OnePhase",
    "RowStream",
    "Stream",
    "stream_from_description",
]
