//! Errors as a caller meets them, who has to decide: try again, refuse, or mend the code.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod documented;
mod from;
mod long;
mod provoked;

use documented::{Kinds, kinds_in_the_sources, kinds_in_the_table};
use lockladder::hierarchy;
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
    let seen: Kinds = every_error().await.into_iter().map(|seen| (seen.variant, format!("{:?}", seen.kind))).collect();
    assert_eq!(kinds_in_the_sources(), seen);
    assert_eq!(kinds_in_the_table(), seen);
}

#[tokio::test(start_paused = true)]
async fn every_text_says_what_is_wrong_where_and_what_to_do() {
    for Seen { variant, text, expected, .. } in every_error().await {
        assert_eq!(text, expected, "{variant}");
    }
}
