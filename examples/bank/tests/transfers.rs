//! Ten thousand transfers by a hundred clients, of which some go away and some give up: the sum never changes, and no
//! lock is left. Without locks, it does change.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bank::desk::Desk;
use bank::ladder::{self, Account, Tenant};
use bank::store::{Audit, Opening, Store};
use bank::{plain, trace};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::StatusCode;
use serde_json::json;
use support::{Service, account, client, memory, order, unlocked};
use tokio::time::interval;

const CLIENTS: u64 = 100;
const TRANSFERS_EACH: usize = 100;
const OPENING: Opening = Opening { tenants: 4, accounts: 50, balance: 1000 };
const TOTAL: i64 = 4 * 50 * 1000;
/// The test holds this tenant all the time: who asks for it waits in vain.
const HELD: u32 = 4;
const PATIENCE: Duration = Duration::from_millis(300);
const ROUND_TRIP: Duration = Duration::from_millis(1);

/// How the requests of some clients ended.
#[derive(Debug, Default)]
struct Ends {
    done: usize,
    refused: usize,
    busy: usize,
    went_away: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn with_lockladder_the_sum_never_changes_and_no_lock_is_left() {
    let store = memory(OPENING, ROUND_TRIP);
    let desk = Desk::new(store.clone(), PATIENCE);
    let bank = ladder::Bank::new(desk.clone());
    let locks = bank.locks.clone();
    let service = Service::start(bank.router(), desk).await;
    let held = locks.shared("test").await.unwrap().exclusive::<Tenant>([HELD]).await.unwrap();
    send_all(&service).await;
    drop(held);
    check_sum(service, &*store).await;
    assert_eq!((locks.names::<Tenant>(), locks.names::<Account>()), (vec![], vec![]));
    assert!(locks.try_exclusive("test").is_ok(), "the ledger is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_maps_of_mutexes_the_sum_never_changes_and_no_lock_is_left() {
    let store = memory(OPENING, ROUND_TRIP);
    let desk = Desk::new(store.clone(), PATIENCE);
    let bank = plain::Bank::new(desk.clone());
    let locks = Arc::clone(&bank.locks);
    let service = Service::start(bank.router(), desk).await;
    let held = locks.tenant_alone(HELD).await;
    send_all(&service).await;
    drop(held);
    check_sum(service, &*store).await;
    assert!(!locks.in_use());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_locks_the_sum_changes() {
    let store = memory(OPENING, ROUND_TRIP);
    let service = Service::start(unlocked::router(store.clone()), Desk::new(store.clone(), PATIENCE)).await;
    let all: Vec<_> = (1..=20_u32)
        .map(|number| {
            let url = format!("{}/transfer", service.url);
            tokio::spawn(async move {
                let client = client();
                for _ in 0..20 {
                    // Each reads account 1, and writes it a millisecond later.
                    let order = order(account(1, 1), account(2, number), 1);
                    client.post(&url).json(&order).send().await.unwrap();
                }
            })
        })
        .collect();
    for one in all {
        one.await.unwrap();
    }
    service.stop().await;
    assert_ne!(store.audit().await.unwrap().total, TOTAL);
}

/// Sends all transfers, while months are closed.
async fn send_all(service: &Service) {
    let clients: Vec<_> = (0..CLIENTS).map(|seed| tokio::spawn(send(service.url.clone(), seed))).collect();
    let closing = close_months(service);
    let ends = async {
        let mut sum = Ends::default();
        for client in clients {
            let ends = client.await.unwrap();
            sum.done += ends.done;
            sum.refused += ends.refused;
            sum.busy += ends.busy;
            sum.went_away += ends.went_away;
        }
        sum
    };
    let ends = tokio::select! {
        ends = ends => ends,
        () = closing => unreachable!("there are months enough"),
    };
    println!("{ends:?}");
    assert!(ends.done > 0 && ends.busy > 0 && ends.went_away > 0, "{ends:?}");
}

/// The transfers of one client. One in fifty asks for the held tenant: half of these wait until they are told that it is
/// busy, the others go away. So does one in twenty of the rest, wherever it may be by then.
async fn send(url: String, seed: u64) -> Ends {
    let (client, mut random) = (client(), StdRng::seed_from_u64(seed));
    let mut ends = Ends::default();
    for _ in 0..TRANSFERS_EACH {
        let draw = random.random_range(0..100);
        let tenant = if draw < 2 { HELD } else { random.random_range(1..HELD) };
        let (one, other) = (random.random_range(1..=25), random.random_range(26..=50));
        let (from, to) = if random.random() { (one, other) } else { (other, one) };
        let from = account(random.random_range(1..HELD), from);
        let order = order(from, account(tenant, to), random.random_range(1..=100));
        let answer = client.post(format!("{url}/transfer")).json(&order).send();
        let leaves = draw == 0 || (50..55).contains(&draw);
        let patience = Duration::from_micros(random.random_range(100..5000));
        let answer = if leaves { tokio::time::timeout(patience, answer).await } else { Ok(answer.await) };
        // Dropped before its answer, a request takes its connection with it.
        let Ok(answer) = answer else {
            ends.went_away += 1;
            continue;
        };
        let answer = answer.unwrap();
        assert!(answer.headers().contains_key(trace::REQUEST_ID), "seed {seed}");
        match answer.status() {
            StatusCode::OK => ends.done += 1,
            StatusCode::CONFLICT => ends.refused += 1,
            StatusCode::SERVICE_UNAVAILABLE => ends.busy += 1,
            other => panic!("{other} for {order}, seed {seed}"),
        }
    }
    ends
}

/// Closes one month after the other, of every tenant in turn. The pace leaves the transfers most of the time.
async fn close_months(service: &Service) {
    let mut pace = interval(Duration::from_millis(100));
    for month in (0..12 * 9000).map(|month| format!("{:04}-{:02}", 1000 + month / 12, month % 12 + 1)) {
        for tenant in 1..HELD {
            pace.tick().await;
            let answer = service.post("/close-month", &json!({ "tenant": tenant, "month": month })).await;
            if answer.status() == StatusCode::ACCEPTED {
                // Waits until the month is closed.
                let statement = service.get(&format!("/statements/{tenant}/{month}")).await;
                assert!([StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE].contains(&statement.status()));
            } else {
                assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            }
        }
    }
}

/// The sum is right, by the service and by the store once the service has drained.
async fn check_sum(service: Service, store: &dyn Store) {
    let right = Audit { accounts: 200, total: TOTAL };
    assert_eq!(service.get("/audit").await.json::<Audit>().await.unwrap(), right);
    service.stop().await;
    assert_eq!(store.audit().await.unwrap(), right);
}
