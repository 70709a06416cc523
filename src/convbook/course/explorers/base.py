"""What every explorer shares: its front end, a plain-text form and a form without JavaScript."""

import anywidget
import traitlets

from convbook.course.explorers.sources import style_source
from convbook.course.mime_types import EXPLORER

# What every widget has, and what says nothing about the explorer.
COMMON_TRAITS = {"layout", "tabbable", "tooltip"}


class Explorer(anywidget.AnyWidget):
    """Base of the explorers; a subclass sets `_explorer`, `_esm` and writes two methods.

    `_explorer` is the NAME of its NAME.js and reaches the page as the read-only trait `explorer`.
    `__repr__` must not change from run to run. `static_html()` is the initial state for a page
    without JavaScript: plain elements, no script, every value escaped.
    """

    _explorer = ""
    _css = style_source()

    explorer = traitlets.Unicode(read_only=True).tag(sync=True)

    @traitlets.default("explorer")
    def _name_of_front_end(self):
        return self._explorer

    def static_html(self):
        """Return the initial state as HTML that needs no script."""
        raise NotImplementedError

    def stored_state(self):
        """Return the traits that make this explorer what it is; the site starts it from them."""
        state = self.get_state()
        return {k: v for k, v in state.items() if k[0] != "_" and k not in COMMON_TRAITS}

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        stored = {EXPLORER: self.stored_state(), "text/html": self.static_html()}
        return {**data, "text/plain": repr(self), **stored}, metadata


def preset_of(presets, preset, default):
    """Return the preset of this name, or the default one where none is named."""
    if preset is not None and preset not in presets:
        raise ValueError(f"preset={preset!r}; use {', '.join(map(repr, presets))}")
    return presets[preset or default]


def given(**settings):
    """Return the settings that were not left out."""
    return {name: value for name, value in settings.items() if value is not None}
