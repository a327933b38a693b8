//! What a stream promises.

use std::collections::BTreeSet;

use strum::VariantArray;

use super::*;
use crate::config;

#[test]
fn the_same_seed_gives_the_same_stream_and_another_seed_another() {
    let cluster = config::load(None).expect("the sample is ours");
    for mix in [Mix::All, Mix::Benchmark] {
        let stream = generate(&cluster, 500, 7, mix);
        assert_eq!(stream, generate(&cluster, 500, 7, mix));
        assert_ne!(stream, generate(&cluster, 500, 8, mix));
        assert_eq!(stream[..100], generate(&cluster, 100, 7, mix));
    }
}

#[test]
fn a_stream_of_some_length_has_every_opcode_of_its_mix() {
    let cluster = config::load(None).expect("the sample is ours");
    for (mix, opcodes) in [(Mix::All, Opcode::VARIANTS.len()), (Mix::Benchmark, 8)] {
        let stream = generate(&cluster, 8000, 1, mix);
        assert_eq!(stream.iter().map(Task::opcode).collect::<BTreeSet<_>>().len(), opcodes, "{mix:?}");
    }
}

#[test]
fn the_shares_of_each_mix_are_those_of_a_thousand_jobs() {
    for mix in [Mix::All, Mix::Benchmark] {
        assert_eq!(mix.shares().iter().map(|(_, share)| share).sum::<u32>(), 1000);
    }
}

#[test]
fn a_stream_can_be_made_for_a_cluster_of_one_empty_node() {
    let mut cluster = Inventory::default();
    cluster.add_node("node1").expect("the name is new");
    assert_eq!(generate(&cluster, 2000, 1, Mix::All).len(), 2000);
}
