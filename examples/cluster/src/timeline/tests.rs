//! What the picture shows, read back as XML.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use roxmltree::{Document, Node};

use super::*;
use crate::control::Rung;

const NAMES: [&str; 3] = ["Cluster", "Instance", "Node"];

/// A span of this level, from and to so many milliseconds.
fn span(begun: Instant, level: usize, access: Access, grip: Grip, times: [u64; 2]) -> Span {
    let [from, to] = times.map(|ms| begun + Duration::from_millis(ms));
    Span { rung: Rung { level: NAMES[level], access }, grip, from, to: Some(to) }
}

/// One job that waits for a shared cluster and an exclusive node, and fails.
fn lane(task: &str) -> Lane {
    let begun = Instant::now();
    let spans = vec![
        span(begun, 0, Access::Shared, Grip::Waits, [0, 10]),
        span(begun, 0, Access::Shared, Grip::Holds, [10, 100]),
        span(begun, 2, Access::Exclusive, Grip::Waits, [10, 30]),
        span(begun, 2, Access::Exclusive, Grip::Holds, [30, 80]),
    ];
    Lane { number: 7, task: task.to_owned(), refusal: Some("no <node>".to_owned()), spans }
}

fn with<'d>(document: &'d Document<'_>, tag: &str) -> Vec<Node<'d, 'd>> {
    document.descendants().filter(|node| node.has_tag_name(tag)).collect()
}

/// The rectangles of the spans in the lanes: class, left and width in the parts of the plot, height.
fn bars(document: &Document<'_>) -> Vec<(String, [String; 3])> {
    let lanes = with(document, "g");
    let rects = lanes.iter().flat_map(Node::children).filter(|node| node.has_tag_name("rect"));
    let number = |node: &Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
    rects
        .filter(|rect| rect.attribute("class") != Some("lane"))
        .map(|rect| {
            let [x, width, y] = ["x", "width", "y"].map(|name| number(&rect, name));
            let place = [x - f64::from(LEFT), width, y - f64::from(TOP)];
            (rect.attribute("class").unwrap().to_owned(), place.map(|number| format!("{number:.0}")))
        })
        .collect()
}

#[test]
fn waiting_and_holding_shared_and_exclusive_and_the_levels_are_told_apart() {
    let text = svg(&[lane("NodeAdd node7")], 1);
    let document = Document::parse(&text).unwrap();
    let expected = [
        ("waits shared", [0, 100, 1]),
        ("holds shared", [100, 900, 1]),
        ("waits exclusive", [100, 200, 1 + 2 * STRIP]),
        ("holds exclusive", [300, 500, 1 + 2 * STRIP]),
    ];
    let expected = expected.map(|(class, place)| (class.to_owned(), place.map(|number| number.to_string())));
    assert_eq!(bars(&document), expected);
    for class in ["waits.shared", "holds.shared", "waits.exclusive", "holds.exclusive"] {
        let style = format!(".{class}{{fill:#");
        assert_eq!(STYLE.matches(&style).count(), 1, "{class} has a colour");
    }
}

#[test]
fn the_picture_explains_itself() {
    let text = svg(&[lane("NodeAdd node7")], 12);
    let document = Document::parse(&text).unwrap();
    let texts: Vec<_> = with(&document, "text").iter().filter_map(Node::text).collect();
    for words in [
        "When 1 of 12 jobs waited for locks and held them",
        "waits, shared",
        "holds, shared",
        "waits, exclusive",
        "holds, exclusive",
        "A lane is a job. Its three strips, from the top: cluster, instances, nodes.",
        "0 ms",
        "100 ms",
        "7 NodeAdd node7 ✗",
    ] {
        assert!(texts.contains(&words), "no {words:?} in {texts:?}");
    }
}

#[test]
fn labels_of_any_text_leave_the_xml_well_formed() {
    let nasty = "</text><script>&amp;\"'\u{1}\u{0}\t]]>\u{ffff} ü";
    let text = svg(&[lane(nasty)], 1);
    let document = Document::parse(&text).unwrap();
    assert!(with(&document, "script").is_empty());
    let titles: Vec<_> = with(&document, "title").iter().filter_map(Node::text).map(str::to_owned).collect();
    let read = "job 7, </text><script>&amp;\"'\u{fffd}\u{fffd} ]]>\u{fffd} ü: no <node>";
    assert!(titles.contains(&read.to_owned()), "{titles:?}");
}

#[test]
fn a_long_label_is_cut_and_told_in_full_where_the_mouse_points() {
    let long = "n".repeat(300);
    let text = svg(&[lane(&long)], 1);
    let document = Document::parse(&text).unwrap();
    let cut = format!("7 {}… ✗", "n".repeat(LABEL - 2));
    assert!(with(&document, "text").iter().any(|node| node.text() == Some(&cut)));
    let full = format!("job 7, {long}: no <node>");
    assert!(with(&document, "title").iter().any(|node| node.text() == Some(&full)));
}

#[test]
fn a_timeline_of_no_jobs_is_a_picture() {
    let text = svg(&[], 0);
    assert!(with(&Document::parse(&text).unwrap(), "g").is_empty());
}
