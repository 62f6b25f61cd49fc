"""Live requests of widgets: work that goes on while the reader explores, a step at a time, and can be stopped.

In: a request's id and the generator of its replies. Out: messages to the page, `{id, kind, …}`: `progress` at once,
`partial` for each reply and `done` at the end, `error` with a sentence and details, or `canceled`. All widgets'
generators take turns on one thread: whoever computes in a cell keeps the other cores.
"""

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from contextvars import Context, copy_context
from typing import Any, NamedTuple

Send = Callable[[dict[str, Any], list[bytes]], Any]


class Reply(NamedTuple):
    """What the page is told after a step."""

    facts: dict[str, Any]
    buffers: list[bytes]


class Live:
    """One widget's requests: one is under way, and a newer one takes its place."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._current: Request | None = None
        self._lock = threading.Lock()

    def start(self, id: str, key: Hashable, replies: Iterator[Reply]) -> "Request":
        """Begin a request, or join the one under way where its `key` is the same; returns at once.

        If the replies under way have a method `join`, it is given the new ones and says whether it takes them in.
        """
        with self._lock:
            current = self._current
            if current is not None and current.key == key and current.takes(replies):
                self._send({"id": id, "kind": "progress", "same": current.id}, [])
                return current
            if current is not None:
                current.stopped = True
            self._current = request = Request(id, key, replies, self._send, copy_context())
        self._send({"id": id, "kind": "progress"}, [])
        WORKER.add(request)
        return request

    def cancel(self, id: str | None = None) -> None:
        """Stop the request under way, or only the one of this id."""
        with self._lock:
            if self._current is not None and id in (None, self._current.id):
                self._current.stopped = True
                self._current = None


class Request:
    """Replies on their way to the page; `ended` is set after the last one, `error` is what they ended with."""

    def __init__(
        self, id: str, key: Hashable, replies: Iterator[Reply], send: Send, context: Context
    ) -> None:
        self.id, self.key = id, key
        self.stopped = self.over = False
        self.ended = threading.Event()
        self.error: Exception | None = None
        self._replies, self._plain_send, self._context = replies, send, context

    def takes(self, replies: Iterator[Reply]) -> bool:
        """Whether new replies are part of these from now on."""
        join = getattr(self._replies, "join", None)
        return not self.over and (join is None or bool(join(replies)))

    def advance(self) -> bool:
        """Take one step and tell of it; whether there is more to do."""
        if self.stopped:
            return self._end("canceled")
        try:
            reply = next(self._replies, None)
        except Exception as error:
            plain = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            details = "".join(traceback.format_exception(error))
            self.error = error
            return self._end("error", {"message": plain, "details": details})
        if self.stopped:
            return self._end("canceled")
        if reply is None:
            return self._end("done")
        self._tell("partial", *reply)
        return True

    def give_up(self, error: Exception) -> None:
        """End without a word to the page, which could not be told."""
        self.over, self.error = True, error
        self.ended.set()

    def _end(self, kind: str, facts: dict[str, Any] | None = None) -> bool:
        self.over = True
        close = getattr(self._replies, "close", None)
        if close is not None:
            close()
        self._tell(kind, facts or {}, [])
        self.ended.set()
        return False

    def _tell(self, kind: str, facts: dict[str, Any], buffers: list[bytes]) -> None:
        # In the request's own context: the kernel then knows which message this belongs to, and which of its threads
        # asked.
        self._context.run(self._plain_send, {**facts, "id": self.id, "kind": kind}, buffers)


class Worker:
    """The thread on which all requests take turns, a step each."""

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()
        self._there_is_some = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, request: Request) -> None:
        with self._there_is_some:
            self._waiting.append(request)
            self._there_is_some.notify()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="live-requests", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._there_is_some:
                while not self._waiting:
                    self._there_is_some.wait()
                request = self._waiting.popleft()
            try:
                more = request.advance()
            except Exception as error:
                # A message that can't be sent ends its own request: the others still take turns here.
                logging.getLogger(__name__).exception("a live request could not be finished")
                request.give_up(error)
                continue
            if more:
                with self._there_is_some:
                    self._waiting.append(request)


WORKER = Worker()
