//! What the ledger promises to notice, and what it promises to accept.

use std::collections::BTreeSet;

use super::{Access, Account, Change, Contact, Ledger, Resource, Violation};

use Access::{Exclusive, Shared};

fn web1() -> Resource {
    Resource::instance("web1")
}

fn ledger() -> Ledger {
    Ledger::new([web1(), Resource::node("node1")])
}

fn job(ledger: &Ledger, number: usize) -> Account<'_> {
    ledger.open(number, format!("task {number}"))
}

/// Work on web1 by a job that holds just the lock that it needs.
fn locked(access: Access) -> Vec<Contact> {
    vec![Contact { resource: web1(), access, held: Some(access) }]
}

fn told(ledger: &Ledger) -> Vec<String> {
    ledger.violations().first.iter().map(Violation::to_string).collect()
}

#[test]
fn two_exclusive_owners_at_once_are_noticed() {
    let ledger = ledger();
    let (first, second) = (job(&ledger, 1), job(&ledger, 2));
    let _first = first.touch(locked(Exclusive));
    let _second = second.touch(locked(Exclusive));
    let words = "instance `web1`: job 1 (task 1) worked on it exclusively, \
                 and before that ended job 2 (task 2) worked on it exclusively";
    assert_eq!(told(&ledger), [words]);
}

#[test]
fn a_shared_owner_beside_an_exclusive_one_is_noticed() {
    let ledger = ledger();
    let (first, second) = (job(&ledger, 1), job(&ledger, 2));
    let _first = first.touch(locked(Shared));
    let _second = second.touch(locked(Exclusive));
    assert_eq!(ledger.violations().count, 1);
}

#[test]
fn owners_one_after_the_other_and_sharing_ones_are_fine() {
    let ledger = ledger();
    let (first, second) = (job(&ledger, 1), job(&ledger, 2));
    drop(first.touch(locked(Exclusive)));
    let _first = first.touch(locked(Shared));
    let _second = second.touch(locked(Shared));
    assert_eq!(told(&ledger), [""; 0]);
}

#[test]
fn work_without_a_lock_is_noticed_even_when_alone() {
    let ledger = ledger();
    let job = job(&ledger, 1);
    let contact = |held| vec![Contact { resource: Resource::node("node1"), access: Exclusive, held }];
    drop(job.touch(contact(None)));
    drop(job.touch(contact(Some(Shared))));
    let words = [
        "node `node1`: job 1 (task 1) worked on it exclusively but held no lock on it",
        "node `node1`: job 1 (task 1) worked on it exclusively but held only a shared lock on it",
    ];
    assert_eq!(told(&ledger), words);
}

#[test]
fn work_on_what_does_not_exist_is_noticed() {
    let ledger = ledger();
    let job = job(&ledger, 1);
    job.disappears(web1());
    drop(job.touch(locked(Shared)));
    let words = "instance `web1`: job 1 (task 1) worked on it shared but it did not exist";
    assert_eq!(told(&ledger), [words]);
}

#[test]
fn an_instance_added_twice_is_noticed() {
    let ledger = ledger();
    job(&ledger, 1).appears(web1());
    let words = "instance `web1`: job 1 (task 1) added it but it was there already";
    assert_eq!(told(&ledger), [words]);
}

#[test]
fn a_lost_instance_is_noticed_in_the_end() {
    let ledger = ledger();
    let locks = BTreeSet::from([Resource::node("node1"), Resource::instance("web7")]);
    ledger.audit("the lock set", &locks);
    let words = [
        "instance `web1` is lost: it should exist, but the lock set does not have it",
        "instance `web7` is a stray: it should not exist, but the lock set has it",
    ];
    assert_eq!(told(&ledger), words);
}

#[test]
fn a_failed_job_that_leaves_something_behind_is_noticed() {
    let ledger = ledger();
    let create = job(&ledger, 1);
    let web9 = Resource::instance("web9");
    create.appears(web9.clone());
    create.close(false, vec![(web9, Change::Added)]);
    let words = "instance `web9`: job 1 (task 1) reported failure but added it";
    assert_eq!(told(&ledger), [words]);
}

#[test]
fn a_successful_job_that_did_nothing_is_noticed() {
    let ledger = ledger();
    job(&ledger, 1).close(true, vec![(web1(), Change::Removed)]);
    let words = "instance `web1`: job 1 (task 1) reported success but left it as it was";
    assert_eq!(told(&ledger), [words]);
}

#[test]
fn a_failed_job_that_cleans_up_is_fine() {
    let ledger = ledger();
    let create = job(&ledger, 1);
    create.appears(Resource::instance("web9"));
    create.disappears(Resource::instance("web9"));
    create.close(false, Vec::new());
    ledger.audit("the lock set", &BTreeSet::from([web1(), Resource::node("node1")]));
    assert_eq!(told(&ledger), [""; 0]);
}

#[test]
fn the_most_jobs_at_work_are_counted_by_job_not_by_touch() {
    let ledger = ledger();
    let (first, second) = (job(&ledger, 1), job(&ledger, 2));
    let once = first.touch(locked(Shared));
    let again = first.touch(locked(Shared));
    let other = second.touch(locked(Shared));
    drop((once, again, other));
    drop(first.touch(locked(Shared)));
    assert_eq!(ledger.most_at_work(), 2);
}
