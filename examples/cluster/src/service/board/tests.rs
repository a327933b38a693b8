//! What no client can bring about at will: jobs that end just when they are cancelled, and jobs that are long gone.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lockladder::Priority;

use super::*;
use crate::desk::Service;
use crate::refusal::Refusal;

fn board_with(jobs: usize) -> Board {
    let board = Board::new(jobs, 0);
    board.post(vec![Task::ClusterVerify {}; jobs]).expect("there is room");
    board
}

fn taken(board: &Board) -> Arc<Job> {
    match pin!(board.take()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(job)) => job,
        other => panic!("a job is queued, and the board is open: {other:?}"),
    }
}

fn outcome(result: Result<(), Refusal>) -> Outcome {
    let (wait, hold) = (Duration::ZERO, Duration::ZERO);
    Outcome { result, service: Service { wait, hold, attempts: 1, priority: Priority::default() } }
}

#[test]
fn a_cancelled_job_that_comes_to_its_end_all_the_same_has_ended() {
    for (result, is_cancelled) in
        [(Ok(()), false), (Err(Refusal::NoSuchNode("node9".into())), false), (Err(Refusal::Cancelled), true)]
    {
        let board = board_with(1);
        let job = taken(&board);
        let mut cancelling = pin!(board.cancel(1));
        let mut context = Context::from_waker(Waker::noop());
        assert!(cancelling.as_mut().poll(&mut context).is_pending(), "it waits for the end of the job");
        assert!(job.control.stop.is_cancelled());
        board.ended(&job, outcome(result));
        match cancelling.as_mut().poll(&mut context) {
            Poll::Ready(Some(Cancelling::Cancelled(_))) => assert!(is_cancelled),
            Poll::Ready(Some(Cancelling::HasEnded(_))) => assert!(!is_cancelled),
            other => panic!("the job has ended: {other:?}"),
        }
    }
}

#[test]
fn a_worker_that_waits_is_not_given_a_job_that_was_cancelled() {
    let board = board_with(2);
    let cancelled = pin!(board.cancel(1)).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(cancelled, Poll::Ready(Some(Cancelling::Cancelled(_)))));
    assert_eq!(taken(&board).number, 2);
    // The permit of the cancelled job is left; there is no job for it.
    assert!(pin!(board.take()).poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn the_jobs_that_ended_first_are_forgotten_first_and_running_ones_never() {
    let board = board_with(REMEMBERED + 3);
    let running = taken(&board);
    for _ in 0..REMEMBERED + 2 {
        board.ended(&taken(&board), outcome(Ok(())));
    }
    let remembered: Vec<_> = board.jobs().iter().map(|job| job.number).collect();
    assert_eq!((remembered.len(), &remembered[..2]), (REMEMBERED + 1, &[running.number, 4][..]));
}
