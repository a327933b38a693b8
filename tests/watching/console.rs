//! What tokio-console looks for: the shape of its spans, as its subscriber reads them.

use super::{manager, ms};
use lockladder::ganeti::seed::Node;
use lockladder_test_support::requests::waiting;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use tokio::time::advance;
use tokio_test::assert_ready_ok;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_default};
use tracing::{Event, Metadata, Subscriber};

/// Lets pass what the console's own filter does, and writes down what its subscriber would show.
#[derive(Clone, Default)]
struct Console(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    /// What each span is: a resource by its type, or an operation on one.
    spans: Vec<String>,
    entered: Vec<u64>,
    polls: Vec<String>,
    closed: Vec<String>,
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Shown {
    fn inside(&self) -> String {
        self.entered.iter().map(|id| self.name(*id)).collect::<Vec<_>>().join(" / ")
    }

    fn name(&self, id: u64) -> &str {
        &self.spans[usize::try_from(id).unwrap() - 1]
    }
}

impl Subscriber for Console {
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let tells = if metadata.is_event() { metadata.target() } else { metadata.name() };
        tells.starts_with("runtime")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut shown = self.0.lock().unwrap();
        let mut fields = Fields::default();
        span.record(&mut fields);
        let name = match span.metadata().name() {
            "runtime.resource" => format!("{} ({})", fields.0["concrete_type"], fields.0["kind"]),
            "runtime.resource.async_op" => format!("{} on {}", fields.0["source"], shown.inside()),
            name => panic!("{name} means nothing to the console"),
        };
        shown.spans.push(name);
        Id::from_u64(shown.spans.len() as u64)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        assert_eq!(event.metadata().target(), "runtime::resource::poll_op");
        let mut shown = self.0.lock().unwrap();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let inside = shown.inside();
        shown.polls.push(format!("{} {} in {inside}", fields.0["op_name"], fields.0["is_ready"]));
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().entered.push(span.into_u64());
    }

    fn exit(&self, _span: &Id) {
        self.0.lock().unwrap().entered.pop();
    }

    fn clone_span(&self, id: &Id) -> Id {
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut shown = self.0.lock().unwrap();
        let name = shown.name(id.into_u64()).to_owned();
        shown.closed.push(name);
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_level_is_a_resource_and_a_request_an_operation_on_it_that_its_task_polls() {
    let console = Console::default();
    let _listens = set_default(console.clone());
    let manager = manager();
    assert_eq!(console.0.lock().unwrap().spans, ["Seed::Cluster (Sync)", "Seed::Instance (Sync)", "Seed::Node (Sync)"]);
    let busy = manager.shared("busy").await.unwrap().exclusive::<Node>("node1").await.unwrap();
    let mut late = waiting(manager.shared("late").await.unwrap().shared::<Node>("node1"));
    advance(ms(5)).await;
    drop(busy);
    let late = assert_ready_ok!(late.poll());
    let operation = "Session on Seed::Node (Sync)";
    let node = |mode: &str, is_ready: bool| format!("{mode} {is_ready} in Seed::Node (Sync) / {operation}");
    let shown = console.0.lock().unwrap();
    let polls: Vec<_> = shown.polls.iter().filter(|poll| poll.contains("Node")).cloned().collect();
    assert_eq!(polls, [node("exclusive", true), node("shared", false), node("shared", true)]);
    assert_eq!(shown.closed.iter().filter(|span| *span == operation).count(), 2, "an operation ends with its answer");
    drop(shown);
    drop(late);
}
