//! Errors as a caller meets them, who has to decide: try again, refuse, or mend the code.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod documented;
mod from;
mod long;
mod provoked;

use documented::{Kinds, kinds_in_the_sources, kinds_in_the_table};
use lockladder::{ErrorKind, OrderError, SessionError, hierarchy};
use provoked::{Seen, every_error};
use std::time::Duration;

const SHORTLY: Duration = Duration::from_millis(50);

hierarchy! {
    /// A level with many names, and one of any name.
    struct Many {
        root Whole,
        level Number: u32,
        open level Any: u32,
    }
}

#[tokio::test(start_paused = true)]
async fn every_variant_of_every_error_has_the_kind_that_its_documentation_says() {
    let seen = every_error().await.into_iter();
    let seen: Kinds =
        seen.map(|seen| (seen.variant, format!("{:?}", seen.kind))).filter(has_a_kind_of_its_own).collect();
    assert_eq!(kinds_in_the_sources().into_iter().filter(has_a_kind_of_its_own).collect::<Kinds>(), seen);
    assert_eq!(kinds_in_the_table().into_iter().filter(has_a_kind_of_its_own).collect::<Kinds>(), seen);
}

/// One variant has the kind of the error in it.
fn has_a_kind_of_its_own((variant, _): &(String, String)) -> bool {
    variant != "SessionError::Order"
}

#[test]
fn an_error_of_the_order_has_the_same_kind_alone_and_in_the_error_of_a_session() {
    let orders = [OrderError::Open { level: "Any" }, OrderError::NotHeld { level: "Number" }];
    assert_eq!(orders.map(|order| order.kind()), [ErrorKind::Refused, ErrorKind::Bug]);
    assert_eq!(orders.map(|order| SessionError::Order(order).kind()), orders.map(|order| order.kind()));
}

#[tokio::test(start_paused = true)]
async fn every_text_says_what_is_wrong_where_and_what_to_do() {
    for Seen { variant, text, expected, .. } in every_error().await {
        assert_eq!(without_places(&text), expected, "{variant}");
    }
}

/// The text with `here` for each place in these sources.
fn without_places(text: &str) -> String {
    match text.split_once("(tests").and_then(|(before, place)| Some((before, place.split_once(')')?.1))) {
        Some((before, after)) => format!("{before}(here){after}"),
        None => text.to_owned(),
    }
}
