//! A subscriber that keeps all that it is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest, set_default};
use tracing::{Event, Level, Metadata, Subscriber};

/// What was told so far. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    seen: Arc<Mutex<Seen>>,
    /// Below this level, nothing is heard.
    warnings_only: bool,
}

#[derive(Default)]
struct Seen {
    spans: Vec<Span>,
    events: Vec<Told>,
    /// How many references to a span there are.
    open: BTreeMap<u64, usize>,
    entered: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    pub(crate) fields: Fields,
    pub(crate) is_closed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    pub(crate) fields: Fields,
    /// The span that it is in.
    pub(crate) span: Option<usize>,
}

pub(crate) type Fields = BTreeMap<&'static str, String>;

struct Write<'f>(&'f mut Fields);

impl Visit for Write<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Collector {
    /// Collects what this thread tells, as long as the guard lives.
    pub(crate) fn listens() -> (Self, DefaultGuard) {
        let collector = Self::default();
        let guard = set_default(collector.clone());
        (collector, guard)
    }

    /// Collects warnings alone.
    pub(crate) fn listens_for_warnings() -> (Self, DefaultGuard) {
        let collector = Self { warnings_only: true, ..Self::default() };
        let guard = set_default(collector.clone());
        (collector, guard)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.seen().spans.clone()
    }

    /// The one span of this level.
    #[track_caller]
    pub(crate) fn span(&self, level: &str) -> Span {
        let mut spans = self.spans();
        spans.retain(|span| span.fields["level"] == level);
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans.remove(0)
    }

    pub(crate) fn events(&self) -> Vec<Told> {
        self.seen().events.clone()
    }

    /// The events of this name.
    pub(crate) fn told(&self, name: &str) -> Vec<Told> {
        self.events().into_iter().filter(|event| event.name == name).collect()
    }

    /// The one event of this name.
    #[track_caller]
    pub(crate) fn told_once(&self, name: &str) -> Told {
        let mut told = self.told(name);
        assert_eq!(told.len(), 1, "{name}: {:#?}", self.events());
        told.remove(0)
    }

    /// What happened, in its order: the names of the events, each with the level of its span.
    pub(crate) fn story(&self) -> Vec<String> {
        let spans = self.spans();
        let level = |event: &Told| event.span.map_or("none", |span| &spans[span].fields["level"]).to_owned();
        self.events().iter().map(|event| format!("{} {}", level(event), event.name)).collect()
    }
}

impl Subscriber for Collector {
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes() // Another test may listen for less.
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "lockladder" && (!self.warnings_only || *metadata.level() == Level::WARN)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut seen = self.seen();
        let mut fields = Fields::new();
        span.record(&mut Write(&mut fields));
        seen.spans.push(Span { name: span.metadata().name(), fields, is_closed: false });
        let id = seen.spans.len() as u64;
        seen.open.insert(id, 1);
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let at = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Write(&mut self.seen().spans[at].fields));
    }

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut seen = self.seen();
        let mut fields = Fields::new();
        event.record(&mut Write(&mut fields));
        let parent = event.parent().map(Id::into_u64);
        let span = if event.is_contextual() { seen.entered.last().copied() } else { parent };
        let (name, level) = (event.metadata().name(), *event.metadata().level());
        let span = span.map(|span| usize::try_from(span).unwrap() - 1);
        seen.events.push(Told { name, level, fields, span });
    }

    fn enter(&self, span: &Id) {
        self.seen().entered.push(span.into_u64());
    }

    fn exit(&self, _span: &Id) {
        self.seen().entered.pop();
    }

    fn clone_span(&self, id: &Id) -> Id {
        *self.seen().open.get_mut(&id.into_u64()).unwrap() += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut seen = self.seen();
        let open = seen.open.get_mut(&id.into_u64()).unwrap();
        *open -= 1;
        let is_closed = *open == 0;
        let at = usize::try_from(id.into_u64()).unwrap() - 1;
        seen.spans[at].is_closed = is_closed;
        is_closed
    }
}
