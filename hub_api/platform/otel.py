"""Spans of a process to an OpenTelemetry collector (OTLP over HTTP), among them those of PostgreSQL, Redis and HTTP calls.

Loaded only where `HUB_OTLP_URL` is set. What leaves the process is stripped of every event and of statuses' words, because
an error may quote a row; statements are our own texts with placeholders, Redis commands come without their arguments, and
addresses of calls without their query.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import yarl
from asyncpg.connection import LoggedQuery
from opentelemetry import context
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from hub_api import __version__
from hub_api.platform import trace
from hub_api.settings import Settings

_KINDS = {
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
    "internal": SpanKind.INTERNAL,
}
_STATEMENT_SHOWN = 400
_wanted: ContextVar[str | None] = ContextVar("wanted_trace_id", default=None)


def root_span_id(trace_id: str) -> int:
    """The id that the root span of one of our own traces bears: so its children know it wherever they are."""
    return int(trace_id[16:], 16) or 1


class _OurIds(RandomIdGenerator):
    """The ids of webhooks and requests are those of their traces."""

    def generate_trace_id(self) -> int:
        """The wanted id, for a root."""
        wanted = _wanted.get()
        return super().generate_trace_id() if wanted is None else int(wanted, 16)

    def generate_span_id(self) -> int:
        """The root's own id, or any."""
        wanted = _wanted.get()
        return super().generate_span_id() if wanted is None else root_span_id(wanted)


class _Share(Sampler):
    """A share of the traces, by a hash of their id: the same in each process. Our ids are times, so their digits are no chance."""

    def __init__(self, share: float) -> None:
        self._below = int(share * 2**64)

    def keeps(self, trace_id: int) -> bool:
        """Whether the trace is one of the share."""
        digest = hashlib.blake2b(trace_id.to_bytes(16, "big"), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self._below

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide for a root."""
        return SamplingResult(Decision.RECORD_AND_SAMPLE if self.keeps(trace_id) else Decision.DROP, attributes)

    def get_description(self) -> str:
        """For the SDK's own messages."""
        return "a share of traces by a hash of their id"


class _Wordless(SpanExporter):
    """Passes spans on without their events and without the words of their status."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them, or say that it failed: the SDK drops them then."""
        return self._exporter.export([_wordless(span) for span in spans])

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self._exporter.force_flush(timeout_millis)


def _wordless(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


class _Piece:
    def __init__(self, span: Span) -> None:
        self._span = span

    def note(self, name: str | None = None, *, failed: bool = False, **attributes: trace.Value) -> None:
        """Rename it, add attributes, or say that it failed."""
        if name is not None:
            self._span.update_name(name)
        self._span.set_attributes({key.replace("__", "."): value for key, value in attributes.items()})
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))


class Spans:
    """The drawer of a process (`trace.Drawer`)."""

    def __init__(self, provider: TracerProvider, share: _Share) -> None:
        self._tracer, self._share = provider.get_tracer("hub", __version__), share

    @contextmanager
    def piece(self, name: str, trace_id: str, carried: str | None, kind: str) -> Iterator[_Piece]:
        """A span as long as the block."""
        above = Context() if carried is None else self._above(carried)
        token = _wanted.set(trace_id if carried is None else None)
        try:
            span = self._tracer.start_span(name, above, kind=_KINDS[kind])
        finally:
            _wanted.reset(token)
        try:
            with _in_hand(span):
                yield _Piece(span)
        except BaseException as error:
            _Piece(span).note(failed=True, error__type=type(error).__name__)
            raise
        finally:
            span.end()

    def past(self, name: str, trace_id: str, began_ns: int, kind: str, **attributes: trace.Value) -> None:
        """A span that ends now: the root of the trace when a server's, else below its root."""
        server = kind == "server"
        token = _wanted.set(trace_id if server else None)
        try:
            above = Context() if server else self._above(trace_id)
            span = self._tracer.start_span(name, above, kind=_KINDS[kind], start_time=began_ns)
        finally:
            _wanted.reset(token)
        span.set_attributes(attributes)
        span.end()

    def carried(self) -> str | None:
        """The span in hand as a `traceparent`."""
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        return carrier.get("traceparent")

    def query(self, record: LoggedQuery) -> None:
        """A statement of PostgreSQL as a span below the work in hand; a logger of asyncpg's connections."""
        if not get_current_span().is_recording():
            return  # a poll or a heartbeat belongs to no work
        now = trace.now_ns()
        words = record.query.split(None, 1)
        span = self._tracer.start_span(
            words[0].upper() if words else "QUERY", kind=SpanKind.CLIENT, start_time=now - int(record.elapsed * 1e9)
        )
        _Piece(span).note(
            failed=record.exception is not None,
            db__system__name="postgresql",
            db__query__text=record.query[:_STATEMENT_SHOWN],
        )
        span.end(now)

    def _above(self, carried: str) -> Context:
        """A context below a `traceparent`, or below the root of one of our own traces."""
        if len(carried) > 32:  # a bare trace id has 32 digits
            return TraceContextTextMapPropagator().extract({"traceparent": carried}, Context())
        flags = TraceFlags(TraceFlags.SAMPLED if self._share.keeps(int(carried, 16)) else TraceFlags.DEFAULT)
        root = SpanContext(int(carried, 16), root_span_id(carried), is_remote=True, trace_flags=flags)
        return set_span_in_context(NonRecordingSpan(root), Context())


@contextmanager
def _in_hand(span: Span) -> Iterator[None]:
    token = context.attach(set_span_in_context(span))
    try:
        yield
    finally:
        context.detach(token)


_spans: Spans | None = None


def begin(settings: Settings, process: str) -> Spans:
    """Send this process's spans to `HUB_OTLP_URL`; once per process. What waits is sent when the process ends."""
    global _spans  # noqa: PLW0603 - the SDK's threads are the process's
    if _spans is None:
        share = _Share(settings.trace_share)
        resource = Resource.create({"service.name": f"hub-{process}", "service.version": __version__})
        provider = TracerProvider(sampler=ParentBased(share), resource=resource, id_generator=_OurIds())
        exporter = OTLPSpanExporter(endpoint=f"{str(settings.otlp_url).rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(_Wordless(exporter)))
        RedisInstrumentor().instrument(tracer_provider=provider)
        AioHttpClientInstrumentor().instrument(tracer_provider=provider, url_filter=_without_query)
        _spans = Spans(provider, share)
        trace.draw_with(_spans)
    return _spans


def _without_query(url: yarl.URL) -> str:
    return str(url.with_query(None).with_user(None))
