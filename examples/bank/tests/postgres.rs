//! The accounts in `PostgreSQL`, on a server that is started for these tests.
#![cfg(all(unix, feature = "postgres"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use bank::desk::Desk;
use bank::ladder::{Account, Bank, Tenant};
use bank::store::{Audit, Opening, PgStore, Store};
use reqwest::StatusCode;
use serde_json::{Value, json};
use support::database::Database;
use support::{EVER, Service, account, client, order, told, unlocked};

const OPENING: Opening = Opening { tenants: 2, accounts: 3, balance: 1000 };
const SUM: Audit = Audit { accounts: 6, total: 6000 };

/// Opens the bank of a new database.
async fn store(database: &Database) -> Arc<PgStore> {
    Arc::new(PgStore::open(&database.url(), OPENING).await.unwrap())
}

/// Moves money to and fro between a few accounts, by many clients, and counts the answers by their status.
async fn send(service: &Service) -> Vec<(StatusCode, usize)> {
    let all = (0..20_u32).map(|seed| {
        let url = format!("{}/transfer", service.url);
        tokio::spawn(async move {
            let client = client();
            let mut answers = Vec::new();
            for step in 0..20 {
                let (from, to) = (account(1, (seed + step) % 3 + 1), account(2, step % 3 + 1));
                let (from, to) = if seed % 2 == 0 { (from, to) } else { (to, from) };
                answers.push(client.post(&url).json(&order(from, to, 1)).send().await.unwrap().status());
            }
            answers
        })
    });
    let mut sum = Vec::<(StatusCode, usize)>::new();
    for client in all.collect::<Vec<_>>() {
        for status in client.await.unwrap() {
            match sum.iter_mut().find(|(known, _)| *known == status) {
                Some((_, count)) => *count += 1,
                None => sum.push((status, 1)),
            }
        }
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_database_the_sum_never_changes_and_no_transfer_fails() {
    let Some(database) = Database::start() else { return };
    let store = store(&database).await;
    let desk = Desk::new(store.clone(), EVER);
    let bank = Bank::new(desk.clone());
    let locks = bank.locks.clone();
    let service = Service::start(bank.router(), desk).await;
    assert_eq!(send(&service).await, [(StatusCode::OK, 400)]);
    assert_eq!(service.get("/audit").await.json::<Audit>().await.unwrap(), SUM);
    service.stop().await;
    assert_eq!(store.audit().await.unwrap(), SUM);
    assert_eq!((locks.names::<Tenant>(), locks.names::<Account>()), (vec![], vec![]));
}

/// The transactions are right by themselves. But they wait in the database, and it ends some that deadlock.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_database_the_sum_never_changes_without_locks_either() {
    let Some(database) = Database::start() else { return };
    let store = store(&database).await;
    let service = Service::start(unlocked::router(store.clone()), Desk::new(store.clone(), EVER)).await;
    println!("without locks: {:?}", send(&service).await);
    service.stop().await;
    assert_eq!(store.audit().await.unwrap(), SUM);
}

#[tokio::test]
async fn a_database_does_as_the_memory_does_and_says_no_in_the_same_words() {
    let Some(database) = Database::start() else { return };
    let desk = Desk::new(store(&database).await, EVER);
    let service = Service::start(Bank::new(desk.clone()).router(), desk).await;
    let receipt = told(service.post("/transfer", &order(account(1, 1), account(2, 1), 5)).await).await;
    assert_eq!(receipt, (StatusCode::OK, json!({"from_balance": 995, "to_balance": 1005})));
    let paid = told(service.get("/accounts/2-1").await).await;
    assert_eq!(paid, (StatusCode::OK, json!({"account": "2-1", "balance": 1005})));
    let month = json!({"tenant": 1, "month": "2026-11"});
    assert_eq!(service.post("/close-month", &month).await.status(), StatusCode::ACCEPTED);
    let statement = json!({"tenant": 1, "month": "2026-11", "accounts": 3, "total": 2995});
    assert_eq!(told(service.get("/statements/1/2026-11").await).await, (StatusCode::OK, statement));
    let cases: &[(&str, Value, u16, &str)] = &[
        ("/transfer", json!({"from": "1-1", "to": "9-1", "amount": 5}), 404, "there is no account 9-1"),
        ("/transfer", json!({"from": "1-1", "to": "1-2", "amount": 1001}), 409, "account 1-1 does not hold enough"),
        ("/close-month", json!({"tenant": 9, "month": "2026-11"}), 404, "there is no tenant 9"),
        ("/close-month", month, 409, "the month 2026-11 is closed already"),
    ];
    for (path, body, status, reason) in cases {
        let (found, told) = told(service.post(path, body).await).await;
        assert_eq!((found.as_u16(), &told["reason"]), (*status, &json!(reason)), "{path} {body}");
    }
    for (path, reason) in [
        ("/accounts/1-9", "there is no account 1-9"),
        ("/statements/1/2026-12", "there is no statement of 2026-12: the month is not closed"),
    ] {
        let (status, body) = told(service.get(path).await).await;
        assert_eq!((status, &body["reason"]), (StatusCode::NOT_FOUND, &json!(reason)));
    }
    let again = PgStore::open(&database.url(), OPENING).await.unwrap();
    assert_eq!(again.audit().await.unwrap(), SUM, "accounts are opened once");
}
