//! Records which job works on what, independently of the locks.
//!
//! The locks promise that jobs do not get in each other's way. The ledger does not trust them: it has a mutex of its
//! own, which it holds only briefly, and it neither takes the library's locks nor asks the library anything.
//!
//! ```text
//!   job ── touch(resource, access, held) ──► page of the resource ──► violations
//!   job ── appears / disappears ───────────►   exists?  which jobs touch it?
//!   job ── close(outcome, expected) ───────► did it change what its outcome says?
//!   end ── audit(configuration), audit(locks): is all there, and nothing else?
//! ```
//!
//! A touch lasts as long as the work on the resource. It is a violation
//!
//! 1. when it overlaps with the touch of another job and one of the two is exclusive: this shows locks that do not
//!    exclude, whatever they claim;
//! 2. when the lock that the job's session says it holds does not cover it: this shows a job that works without its
//!    locks, even if no other job is near. It needs no bad timing, so sabotage is always caught;
//! 3. when the resource does not exist.
//!
//! The jobs tell the ledger what they add and remove. The ledger compares this with the outcome that each job reports,
//! and in the end with what the configuration and the locks have.

mod violation;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::violation::{Access, Change, Resource, Violation};
use self::violation::{Deed, Who};

/// The most violations that are kept in full; later ones are only counted.
const KEPT: usize = 100;

/// One resource that a job is about to work on.
#[derive(Debug, Clone)]
pub(crate) struct Contact {
    pub(crate) resource: Resource,
    pub(crate) access: Access,
    /// How the job's session says it holds the resource.
    pub(crate) held: Option<Access>,
}

/// The book, and its own mutex.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    pages: HashMap<Resource, Page>,
    /// Open touches per job number, for the jobs that have any.
    at_work: HashMap<usize, usize>,
    most_at_work: usize,
    violations: Violations,
}

#[derive(Debug, Default)]
struct Page {
    exists: bool,
    touching: Vec<(Arc<Who>, Access)>,
}

impl Book {
    /// Drops a page that says nothing: the resource does not exist, and no job works on it.
    fn tear_out(&mut self, resource: &Resource) {
        if self.pages.get(resource).is_some_and(|page| !page.exists && page.touching.is_empty()) {
            self.pages.remove(resource);
        }
    }
}

/// The first violations in full, and the number of all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Violations {
    pub(crate) first: Vec<Violation>,
    pub(crate) count: usize,
}

impl Violations {
    fn push(&mut self, violation: Violation) {
        if self.first.len() < KEPT {
            self.first.push(violation);
        }
        self.count += 1;
    }

    pub(crate) fn extend(&mut self, later: Self) {
        self.count += later.count;
        let room = KEPT - self.first.len();
        self.first.extend(later.first.into_iter().take(room));
    }
}

impl Ledger {
    /// A ledger of a cluster in which `existing` exists.
    pub(crate) fn new(existing: impl IntoIterator<Item = Resource>) -> Self {
        let page = || Page { exists: true, touching: Vec::new() };
        let pages = existing.into_iter().map(|resource| (resource, page())).collect();
        Self(Mutex::new(Book { pages, ..Book::default() }))
    }

    /// Opens an account for a job; `number` is its place in the stream.
    pub(crate) fn open(&self, number: usize, task: String) -> Account<'_> {
        let who = Arc::new(Who { number, task });
        Account { ledger: self, who, changes: Mutex::default() }
    }

    /// Compares what should exist with what `witness` has.
    pub(crate) fn audit(&self, witness: &'static str, has: &BTreeSet<Resource>) {
        let mut book = self.book();
        let should: BTreeSet<Resource> =
            book.pages.iter().filter(|(_, page)| page.exists).map(|(resource, _)| resource.clone()).collect();
        for resource in should.difference(has).cloned() {
            book.violations.push(Violation::Lost { resource, from: witness });
        }
        for resource in has.difference(&should).cloned() {
            book.violations.push(Violation::Stray { resource, at: witness });
        }
    }

    /// The most jobs that were at work at the same moment, each under the locks it needs.
    pub(crate) fn most_at_work(&self) -> usize {
        self.book().most_at_work
    }

    pub(crate) fn violations(&self) -> Violations {
        self.book().violations.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One job's side of the ledger.
#[derive(Debug)]
pub(crate) struct Account<'l> {
    ledger: &'l Ledger,
    who: Arc<Who>,
    /// What the job has added and removed so far, without what it has undone.
    changes: Mutex<BTreeMap<Resource, Change>>,
}

impl fmt::Display for Account<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.who.fmt(out)
    }
}

impl Account<'_> {
    /// The job begins to work on `contacts`; the work ends when the touches are dropped.
    pub(crate) fn touch(&self, contacts: Vec<Contact>) -> Touches<'_> {
        let mut book = self.ledger.book();
        let book = &mut *book;
        let mut resources = Vec::with_capacity(contacts.len());
        for contact in contacts {
            let page = book.pages.entry(contact.resource.clone()).or_default();
            self.check(&contact, page, &mut book.violations);
            page.touching.push((Arc::clone(&self.who), contact.access));
            resources.push(contact.resource);
        }
        *book.at_work.entry(self.who.number).or_default() += 1;
        book.most_at_work = book.most_at_work.max(book.at_work.len());
        Touches { ledger: self.ledger, job: self.who.number, resources }
    }

    fn check(&self, contact: &Contact, page: &Page, violations: &mut Violations) {
        let Contact { resource, access, held } = contact;
        let deed = || Deed { job: Who::clone(&self.who), access: *access };
        if !page.exists {
            violations.push(Violation::Unknown { resource: resource.clone(), deed: deed() });
        }
        if !held.is_some_and(|held| held.covers(*access)) {
            let (resource, held) = (resource.clone(), *held);
            violations.push(Violation::Unlocked { resource, deed: deed(), held });
        }
        for (who, theirs) in &page.touching {
            let both_shared = (*access, *theirs) == (Access::Shared, Access::Shared);
            if who.number != self.who.number && !both_shared {
                violations.push(Violation::Overlap {
                    resource: resource.clone(),
                    first: Deed { job: Who::clone(who), access: *theirs },
                    second: deed(),
                });
            }
        }
    }

    /// The job made `resource` exist.
    pub(crate) fn appears(&self, resource: Resource) {
        self.change(resource, Change::Added);
    }

    /// The job made `resource` cease to exist.
    pub(crate) fn disappears(&self, resource: Resource) {
        self.change(resource, Change::Removed);
    }

    fn change(&self, resource: Resource, change: Change) {
        let mut book = self.ledger.book();
        let page = book.pages.entry(resource.clone()).or_default();
        let exists = change == Change::Added;
        let repeated = page.exists == exists;
        page.exists = exists;
        if repeated {
            let (resource, job) = (resource.clone(), Who::clone(&self.who));
            book.violations.push(Violation::Repeated { resource, job, change });
        }
        book.tear_out(&resource);
        drop(book);
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        // A job that undoes its own change leaves no change.
        if changes.remove(&resource).is_none_or(|earlier| earlier == change) {
            changes.insert(resource, change);
        }
    }

    /// Ends the job. If it succeeded, its changes must be the `expected` ones; else there must be none.
    pub(crate) fn close(self, succeeded: bool, expected: Vec<(Resource, Change)>) {
        let changes = self.changes.into_inner().unwrap_or_else(PoisonError::into_inner);
        let expected: BTreeMap<_, _> = if succeeded { expected.into_iter().collect() } else { BTreeMap::new() };
        let concerned: BTreeSet<_> = changes.keys().chain(expected.keys()).collect();
        let mut book = self.ledger.book();
        for resource in concerned {
            let change = changes.get(resource).copied();
            if change != expected.get(resource).copied() {
                let (resource, job) = (resource.clone(), Who::clone(&self.who));
                book.violations.push(Violation::Misreported { resource, job, succeeded, change });
            }
        }
    }
}

/// Work in progress; it ends when this is dropped.
#[derive(Debug)]
#[must_use = "work that ends at once overlaps with nothing"]
pub(crate) struct Touches<'l> {
    ledger: &'l Ledger,
    job: usize,
    resources: Vec<Resource>,
}

impl Drop for Touches<'_> {
    fn drop(&mut self) {
        let mut book = self.ledger.book();
        for resource in &self.resources {
            let Some(page) = book.pages.get_mut(resource) else { continue };
            if let Some(mine) = page.touching.iter().position(|(who, _)| who.number == self.job) {
                page.touching.swap_remove(mine);
            }
            book.tear_out(resource);
        }
        if let Some(open) = book.at_work.get_mut(&self.job) {
            *open -= 1;
            if *open == 0 {
                book.at_work.remove(&self.job);
            }
        }
    }
}

#[cfg(test)]
mod tests;
