"""Waiting for the reader: a cell that goes on when something has been clicked.

In: a widget and the name of one of its traits. Out: the trait's next value, if the host delivers messages while a cell
runs.
"""

import asyncio
from typing import Any

import traitlets as t


def hears_during_a_cell() -> bool:
    """Whether the kernel takes messages from the page while a cell runs: ipykernel does from version 7 on."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    return "kernel subshells" in getattr(kernel, "kernel_info", {}).get("supported_features", [])


async def next_value(widget: t.HasTraits, name: str, timeout: float | None) -> Any:
    """The value that a trait gets next.

    Raises
    ------
    RuntimeError
        If the page's messages are held back until the cell has ended.
    TimeoutError
        If nothing came within `timeout` seconds.
    """
    if not hears_during_a_cell():
        raise RuntimeError(
            "this kernel hears the page only between cells, so waiting here would never end; use "
            f"observe(callback, {name!r}), or ipykernel 7 or newer"
        )
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Any] = loop.create_future()

    def settle(value: Any) -> None:
        if not found.done():
            found.set_result(value)

    def heard(change: Any) -> None:
        # The message may come on a thread other than the loop's.
        loop.call_soon_threadsafe(settle, change["new"])

    widget.observe(heard, name)
    try:
        return await asyncio.wait_for(found, timeout)
    except TimeoutError:
        raise TimeoutError(f"{name} did not change within {timeout:g} s") from None
    finally:
        widget.unobserve(heard, name)
