"""What is drawn in a figure: its texts, those that meet, and those that leave the paper."""

from __future__ import annotations

from itertools import combinations

from kavg.reports.figures.style import use_default_style

ROOM = 0.5
"""Pixels by which boxes of texts may meet: they are wider than what is seen."""


@use_default_style()
def drawn_texts(figure):
    """All texts that are drawn, with their boxes in pixels of the figure, and their sizes."""
    from matplotlib.text import Text

    drawn, draw = {}, Text.draw

    def note(self, renderer, *given, **named):
        if self.get_visible() and self.get_text().strip():
            drawn[id(self)] = self
        return draw(self, renderer, *given, **named)

    Text.draw = note
    try:
        figure.draw_without_rendering()
    finally:
        Text.draw = draw
    renderer = figure.canvas.get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer), text.get_fontsize())
        for text in drawn.values()
    ]


def meeting_texts(texts):
    """The pairs of drawn texts that overlap."""
    return [
        (one, other)
        for (one, a, _), (other, b, _) in combinations(texts, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > ROOM and min(a.y1, b.y1) - max(a.y0, b.y0) > ROOM
    ]


def outer_texts(figure, texts):
    """The drawn texts that are not wholly inside the figure."""
    width, height = figure.bbox.width, figure.bbox.height
    return [
        text
        for text, box, _ in texts
        if box.x0 < -ROOM or box.y0 < -ROOM or box.x1 > width + ROOM or box.y1 > height + ROOM
    ]


def legend_names(figure):
    """The names in the legend."""
    return [text.get_text() for text in figure.legends[0].get_texts()]
