"""What all widgets share: a still picture in every output, replies, waiting.

In: a widget's name and its traits. Out: an anywidget that shows its page where it can run, and a PNG where it
can't. Imports no torch and computes nothing heavy.
"""

import base64
import operator
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets as t
from PIL import Image

from ..derived.pictures import png
from .awaiting import next_value
from .live import Live, Reply
from .page_code import bundle, code_traits

# What one widget may put into the page as images, in bytes; the rest waits in the kernel until asked for.
INLINE_BUDGET = 4_000_000
# A page without a kernel can't ask for the rest.
NO_BUDGET = sys.maxsize


class Index(t.Int):
    """An integer trait that takes numpy's integers too."""

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            # True is an int to Python, and a mistake here.
            return super().validate(obj, "bool" if isinstance(value, bool) else operator.index(value))
        except TypeError:
            self.error(obj, value)


class Widget(anywidget.AnyWidget):
    """An anywidget whose page is `static/<bundle_name>.js` and `.css`.

    A subclass names its bundle, says what exported pages call it, which of its traits make up its state and in which a
    reader writes (`page_name`, `place_traits`, `kept_traits`), draws its still picture (`_still`), and may reply to the
    page's requests: `_replies` maps a request's kind to a method that takes the message and returns buffers at once;
    `_computations` maps one to a method that takes it and returns a key and a generator of replies, which a worker goes
    through.
    """

    bundle_name: ClassVar[str]
    page_name: ClassVar[str]
    place_traits: ClassVar[tuple[str, ...]]
    kept_traits: ClassVar[tuple[str, ...]] = ()

    _esm = t.Unicode().tag(sync=True)
    _css = t.Unicode().tag(sync=True)
    _code = t.Instance(ipywidgets.Widget, allow_none=True).tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(self, **traits: Any) -> None:
        self._check_known(traits)
        super().__init__(**code_traits(self.bundle_name), _css=bundle(self.bundle_name, "css"), **traits)
        self._live = Live(lambda message, buffers: self.send(message, buffers))
        self.on_msg(self._reply)

    @classmethod
    def _check_known(cls, traits: Mapping[str, Any]) -> None:
        """Raise a TypeError for an unknown trait, which traitlets would take without a word."""
        for name in traits:
            if name not in cls.class_trait_names():
                own = cls.reader_traits()
                near = get_close_matches(name, own, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"what can be set is {', '.join(own)}"
                raise TypeError(f"{cls.__name__} has no {name!r}; {hint}")

    @classmethod
    def reader_traits(cls) -> list[str]:
        """The names of what a reader changes: public synced traits of the class's own."""
        return [name for name in cls._page_traits() if not name.startswith("_")]

    @classmethod
    def _page_traits(cls) -> list[str]:
        hosts = {*anywidget.AnyWidget.class_traits(sync=True), "_esm", "_css", "_code", "_anywidget_id"}
        return [name for name in cls.class_traits(sync=True) if name not in hosts]

    def page_state(self, quality: int) -> dict[str, Any]:
        """What a page without a kernel is given: synced traits as they are now, and every image in WebP `quality`."""
        return {name: getattr(self, name) for name in self._page_traits()} | self._all_images(quality)

    def _all_images(self, quality: int) -> dict[str, list[bytes]]:
        """The traits that hold images, with all of them, whatever the budget of a notebook's page."""
        raise NotImplementedError(f"{type(self).__name__} gathers no images for a page")

    async def wait_for(self, name: str, timeout: float | None = None) -> Any:
        """Wait until the reader, or anybody, changes a trait.

        Parameters
        ----------
        name : str
            The trait, such as `"unit"`.
        timeout : float, optional
            Seconds; None waits without end.

        Returns
        -------
        object
            The trait's new value.

        Raises
        ------
        ValueError
            If there is no such trait.
        RuntimeError
            At once, where the page's messages wait for the running cell (ipykernel before 7), or outside of Jupyter.
        TimeoutError
            If nothing changed in time.

        Examples
        --------
        >>> unit = await scatter.wait_for("unit", timeout=60)  # doctest: +SKIP
        """
        if name not in (known := self.reader_traits()):
            raise ValueError(f"there is no {name!r} to wait for; give one of {', '.join(sorted(known))}")
        return await next_value(self, name, timeout)

    def _replies(self) -> dict[str, Callable[[dict[str, Any]], list[bytes]]]:
        return {}

    def _computations(
        self,
    ) -> dict[str, Callable[[dict[str, Any]], tuple[Hashable, Iterator[Reply]]]]:
        return {}

    def _still(self) -> Image.Image:
        raise NotImplementedError(f"{type(self).__name__} draws no still picture")

    def _reply(self, _widget: Any, message: Any, _buffers: Any) -> None:
        """Reply to `{id, kind, …}`: at once by "done" and buffers, or as `live` says; by "error" where it can't be."""
        if not isinstance(message, dict):
            return
        id, kind = message.get("id"), message.get("kind")
        replies, computations = self._replies(), self._computations()
        try:
            if kind == "cancel":
                self._live.cancel(id)
            elif kind in computations:
                self._live.start(str(id), *computations[kind](message))
            elif kind in replies:
                self.send({"id": id, "kind": "done"}, replies[kind](message))
        except ValueError as error:
            self.send({"id": id, "kind": "error", "message": str(error)})

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and beside it a still picture for viewers that run no widgets."""
        whole = super()._repr_mimebundle_(**kwargs)
        if whole is None:
            return None
        data, metadata = whole
        # 256 colors: a fifth of the bytes in every saved notebook, and no difference one can see.
        still = self._still().quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        data["image/png"] = base64.b64encode(png(still)).decode("ascii")
        return data, metadata
