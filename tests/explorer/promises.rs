//! Each sentence of the rule as a promise of the queue, in the shortest stories that show it.

use crate::stage::Stage;
use crate::{ABC, LOOSE};
use lockladder::LockMode::{self, Exclusive, Shared};
use lockladder_test_support::set_rule::{Ask, Deed, Limits, Names, SetRule, Standing, What};

const A: Names = 0b001;
const B: Names = 0b010;
const C: Names = 0b100;

fn ask(mode: LockMode, names: Names) -> Ask {
    Ask { what: What::Names, mode, names, priority: 0 }
}

fn exclusive(names: Names) -> Ask {
    ask(Exclusive, names)
}

fn shared(names: Names) -> Ask {
    ask(Shared, names)
}

fn at_least(enough: u32, ask: Ask) -> Ask {
    Ask { what: What::AtLeast(enough), ..ask }
}

fn everything(mode: LockMode) -> Ask {
    Ask { what: What::Every, ..ask(mode, 0) }
}

fn addition() -> Ask {
    Ask { what: What::Addition, ..ask(Exclusive, 0) }
}

fn urgent(ask: Ask) -> Ask {
    Ask { priority: -1, ..ask }
}

/// Requests for the names a, b and c that arrive in this order.
struct Story {
    stage: Stage,
}

impl Story {
    fn with<const N: usize>(limits: Limits, asks: [Ask; N]) -> Self {
        let mut stage = Stage::new(&SetRule::new(ABC, asks.map(Some)), limits);
        for party in 0..N {
            stage.play(party, Deed::Arrives);
        }
        Self { stage }
    }

    fn of<const N: usize>(asks: [Ask; N]) -> Self {
        Self::with(LOOSE, asks)
    }

    fn then(mut self, party: usize, deed: Deed) -> Self {
        self.stage.play(party, deed);
        self
    }

    /// Asserts that these requests have been granted, and no others.
    #[track_caller]
    fn hold<const N: usize>(mut self, parties: [usize; N]) -> Self {
        let standings = self.stage.standings();
        let holders = standings.iter().enumerate().filter(|(_, standing)| matches!(standing, Standing::Holds(_)));
        assert_eq!(holders.map(|(party, _)| party).collect::<Vec<_>>(), parties, "{standings:?}");
        self
    }

    #[track_caller]
    fn holds_names(mut self, party: usize, names: Names) -> Self {
        let standing = self.stage.standings()[party];
        assert!(matches!(standing, Standing::Holds(hold) if hold.names == names), "{standing:?}");
        self
    }

    #[track_caller]
    fn has_been_passed(mut self, party: usize, times: u32) -> Self {
        assert_eq!(self.stage.standings()[party], Standing::Waits { passed: times });
        self
    }
}

#[test]
fn all_names_are_granted_at_once_and_whoever_waits_holds_none() {
    Story::of([exclusive(B), exclusive(A | B)]).hold([0]).then(0, Deed::Releases).hold([1]).holds_names(1, A | B);
    Story::of([exclusive(B), exclusive(B | C), exclusive(A)]).hold([0, 2]);
}

#[test]
fn nobody_is_kept_from_a_free_name_by_one_who_could_not_use_it() {
    // No convoy: 1 waits for b, so 2 gets a meanwhile.
    Story::of([exclusive(B), exclusive(A | B), exclusive(A)]).hold([0, 2]).has_been_passed(1, 1);
}

#[test]
fn whoever_waits_for_the_same_holder_only_is_not_passed() {
    // 2 touches a, and only the holder of a keeps 1 waiting.
    Story::of([shared(A), exclusive(A | B), shared(A)]).hold([0]);
    Story::of([shared(A), exclusive(A | B), shared(A | B)]).hold([0]);
}

#[test]
fn a_request_is_passed_so_many_times_and_no_more() {
    let limits = Limits { passes: 2, ..LOOSE };
    let story = Story::with(limits, [exclusive(B), exclusive(A | B), shared(A), shared(A), shared(A)]);
    let story = story.hold([0, 2, 3]).has_been_passed(1, 2).then(2, Deed::Releases).hold([0, 3]);
    story.then(3, Deed::Releases).hold([0]).then(0, Deed::Releases).hold([1]).then(1, Deed::Releases).hold([4]);
}

#[test]
fn only_requests_of_one_priority_pass_each_other() {
    Story::of([exclusive(B), urgent(exclusive(A | B)), exclusive(A)]).hold([0]);
    // A more urgent request stands ahead whenever it arrives. That is not passing.
    Story::of([exclusive(B), exclusive(A | B), urgent(exclusive(A))]).hold([0, 2]).has_been_passed(1, 0);
}

#[test]
fn whoever_has_too_many_ahead_passes_none() {
    let asks = [exclusive(B), exclusive(A | B), exclusive(A | B), exclusive(A)];
    Story::with(Limits { ahead: 2, ..LOOSE }, asks).hold([0, 3]).has_been_passed(1, 1).has_been_passed(2, 1);
    Story::with(Limits { ahead: 1, ..LOOSE }, asks).hold([0]).has_been_passed(1, 0);
}

#[test]
fn who_is_held_up_by_a_grant_can_be_passed_from_then_on() {
    // 2 waits only because 1 is ahead of it, so 3 waits behind 2. Once 1 holds b, 3 may pass 2.
    let story = Story::of([exclusive(C), urgent(exclusive(B | C)), exclusive(A | B), exclusive(A)]);
    story.hold([0]).then(0, Deed::Releases).hold([1, 3]).has_been_passed(2, 1);
}

#[test]
fn sharers_go_along_with_a_sharer_ahead_of_whom_they_would_wait_for() {
    let story = Story::of([exclusive(A), shared(A), exclusive(A), shared(A)]);
    story.hold([0]).then(0, Deed::Releases).hold([1, 3]).has_been_passed(2, 0);
}

#[test]
fn sharers_go_along_only_where_their_conflict_is_with_a_group() {
    // 2 waits for a and b. The group is one of a, so 3 does not join it at b.
    let story = Story::of([exclusive(A), shared(A), exclusive(A | B), shared(A | B)]);
    story.then(0, Deed::Releases).hold([1]);
    // Two groups cover both names.
    let story = Story::of([exclusive(A | B), shared(A), shared(B), exclusive(A | B), shared(A | B)]);
    story.then(0, Deed::Releases).hold([1, 2, 4]).has_been_passed(3, 0);
}

#[test]
fn sharers_go_along_with_those_of_their_priority_only() {
    let story = Story::of([exclusive(A), urgent(shared(A)), exclusive(A), shared(A)]);
    story.then(0, Deed::Releases).hold([1]).then(1, Deed::Releases).hold([2]);
}

#[test]
fn a_group_that_has_been_granted_is_closed() {
    Story::of([shared(A), exclusive(A), shared(A)]).hold([0]).has_been_passed(1, 0);
}

#[test]
fn whoever_stands_between_a_group_and_its_first_is_not_overtaken_without_it() {
    let story = Story::of([exclusive(A), exclusive(A), shared(A), exclusive(A), shared(A)]);
    story.then(0, Deed::Releases).hold([1]).then(1, Deed::Releases).hold([2, 4]);
}

#[test]
fn a_downgrade_takes_the_sharers_of_the_most_urgent_priority_along() {
    let story = Story::of([exclusive(A), exclusive(A), shared(A)]);
    story.then(0, Deed::Downgrades).hold([0, 2]).has_been_passed(1, 0);
    let story = Story::of([exclusive(A), urgent(exclusive(A)), shared(A)]);
    story.then(0, Deed::Downgrades).hold([0]);
    let story = Story::of([exclusive(A), urgent(everything(Exclusive)), shared(A)]);
    story.then(0, Deed::Downgrades).hold([0]);
}

#[test]
fn a_request_for_everything_passes_nobody() {
    Story::of([exclusive(A), exclusive(A), everything(Shared)]).then(0, Deed::Downgrades).hold([0]);
    Story::of([shared(A), exclusive(A | B), everything(Shared)]).hold([0]);
}

#[test]
fn a_request_for_everything_can_be_passed_where_a_holder_keeps_it_waiting() {
    Story::of([exclusive(B), everything(Exclusive), exclusive(A)]).hold([0, 2]).has_been_passed(1, 1);
    Story::of([shared(A), everything(Exclusive), shared(A)]).hold([0]);
}

#[test]
fn at_least_so_many_takes_what_is_free_and_unwanted_and_passes_nobody() {
    Story::of([exclusive(A), at_least(2, exclusive(ABC))]).hold([0, 1]).holds_names(1, B | C);
    Story::of([exclusive(A | B), at_least(2, exclusive(ABC))])
        .hold([0])
        .then(0, Deed::ReleasesPart)
        .holds_names(1, A | C);
    // b is free, but 1 is ahead there.
    Story::of([exclusive(A), exclusive(A | B), at_least(2, exclusive(ABC))]).hold([0]).has_been_passed(1, 0);
    Story::of([exclusive(A), exclusive(A | B), at_least(1, exclusive(ABC))]).hold([0, 2]).holds_names(2, C);
    Story::of([exclusive(A), everything(Exclusive), at_least(1, exclusive(ABC))]).hold([0]).has_been_passed(1, 0);
}

#[test]
fn at_least_so_many_is_held_up_when_it_cannot_do_without_what_is_held() {
    // 1 needs two of a, b and c. Two are held, one more than it can spare, until 0 releases.
    let limits = Limits { passes: 1, ..LOOSE };
    let needy = at_least(2, exclusive(ABC));
    Story::with(limits, [exclusive(A | B), needy, exclusive(C)]).hold([0, 2]).has_been_passed(1, 1);
    let story = Story::with(limits, [exclusive(A | B), needy, exclusive(C), exclusive(C)]).then(2, Deed::Releases);
    story.hold([0]).then(0, Deed::Releases).hold([1]).holds_names(1, ABC);
}

#[test]
fn an_addition_passes_a_request_for_everything_that_a_member_keeps_waiting() {
    Story::of([exclusive(A), everything(Exclusive), addition()]).hold([0, 2]).has_been_passed(1, 1);
    // An addition keeps the request for all members waiting, so another addition does not pass it.
    Story::of([addition(), everything(Exclusive), addition()]).hold([0]).then(0, Deed::Releases).hold([1]);
    // No request adds while the whole is held.
    Story::of([everything(Shared), addition()]).hold([0]).then(0, Deed::Releases).hold([1]);
}

#[test]
fn an_addition_keeps_nobody_from_names() {
    Story::of([everything(Shared), addition(), shared(A)]).hold([0, 2]);
    Story::of([addition(), exclusive(A)]).hold([0, 1]);
}

#[test]
fn whoever_gives_up_lets_those_behind_run() {
    Story::of([shared(A), exclusive(A), shared(A)]).hold([0]).then(1, Deed::Cancels).hold([0, 2]);
    Story::of([shared(A), everything(Exclusive), shared(A)]).hold([0]).then(1, Deed::Cancels).hold([0, 2]);
}

#[test]
fn a_request_that_moves_stands_behind_those_of_its_new_priority() {
    let story = Story::of([exclusive(A), exclusive(A), urgent(exclusive(A))]);
    story.then(1, Deed::Moves(-1)).then(0, Deed::Releases).hold([2]).then(2, Deed::Releases).hold([1]);
    Story::of([shared(A), urgent(exclusive(A)), shared(A)]).hold([0]).then(2, Deed::Moves(-2)).hold([0, 2]);
}

#[test]
fn whoever_waits_for_a_name_that_is_removed_fails_or_goes_on_without() {
    let existing = Ask { what: What::Existing, ..exclusive(A | B) };
    let needy = at_least(2, exclusive(A | B));
    let story = Story::of([exclusive(A), exclusive(A | B), existing]).then(0, Deed::Removes);
    story.hold([2]).holds_names(2, B);
    Story::of([exclusive(A), needy, exclusive(B)]).then(0, Deed::Removes).hold([2]);
    // A request that is left without names ends at once, even behind a request that it may not pass.
    let all = Ask { what: What::Existing, ..exclusive(A) };
    let mut story = Story::with(Limits { passes: 0, ..LOOSE }, [exclusive(A | B), everything(Exclusive), all]);
    story.stage.play(0, Deed::Removes);
    assert_eq!(story.stage.standings()[2], Standing::Gone);
}
