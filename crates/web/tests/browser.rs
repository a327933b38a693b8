//! The page, as Chromium shows it. See `support/browser.rs` for what happens where there is no Chromium.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support {
    pub(crate) mod browser;
    #[allow(dead_code, reason = "the tests over HTTP use all of it")]
    #[path = "mod.rs"]
    pub(crate) mod service;
}

use serde_json::{Value, json};
use std::pin::pin;
use std::sync::Arc;
use support::browser::Browser;
use support::service::{Account, Server, Tenant, jam, locks};

/// The state of the page, as its marker says.
const STATE: &str = "return document.getElementById('state').dataset.is";

#[tokio::test]
async fn a_jam_made_on_purpose_is_found_with_its_root_and_all_behind_it() {
    let Some(browser) = Browser::start("a jam is found").await else { return };
    let locks = locks();
    let jam = jam(&locks, "7", "close month 7", &["transfer 3→9", "transfer 3→4"]).await;
    let server = Server::of(&locks).await;
    for path in ["", "/"] {
        browser.client.goto(&server.url(path)).await.unwrap();
        browser.until(STATE, json!("live")).await;
        browser.until_shown("#jam-list h3", "holds Tenant 7 for").await;
        let root = browser.text("#jam-list h3").await;
        assert!(root.starts_with("JAM") && root.contains("close month 7 (#") && root.contains("mod.rs:"), "{root}");
        let behind = browser.text("#jam-list li").await;
        let (first, second) = behind.split_once('\n').unwrap();
        assert!(first.starts_with("transfer 3→9 (#") && second.starts_with("transfer 3→4 (#"), "{behind}");
        assert!(browser.text("#jam-list p").await.starts_with("2 sessions behind it"));
        browser.until_shown("#figures", "3 sessions").await;
        assert!(browser.text("#figures").await.contains("2 waiting"));
    }
    // The picture has a box for each, and two arrows; the timeline a lane for each.
    assert_eq!(browser.run("return document.querySelectorAll('#graph .box').length").await, 3);
    assert_eq!(browser.run("return document.querySelectorAll('#graph .root').length").await, 1);
    assert_eq!(browser.run("return document.querySelectorAll('#graph .edge:not(.also)').length").await, 2);
    assert_eq!(browser.run("return document.querySelectorAll('#timeline .lane').length").await, 3);
    assert_eq!(browser.run("return document.querySelectorAll('#timeline .picture .waiting').length").await, 2);
    // Said aloud once, without the ages that change each second.
    let spoken = browser.run("return document.getElementById('spoken').textContent").await;
    assert!(spoken.as_str().unwrap().starts_with("Jam: 2 sessions behind close month 7 (#"), "{spoken}");
    // And when it is over, the page says so.
    drop(jam.holder);
    for request in jam.waiting {
        request.await;
    }
    browser.until_shown("#jam-list", "No jam: no session waits.").await;
    browser.until_shown("#more-locks", "Nothing is held, and no request waits.").await;
    browser.close().await;
}

#[tokio::test]
async fn names_are_data_whatever_stands_in_them() {
    let Some(browser) = Browser::start("names are data").await else { return };
    let label = "<script>hacked=1</script><img src=x onerror=hacked=1>\"'&amp;";
    let name = "<svg onload=hacked=1>\u{202e}gnp.exe\u{0}\n</textarea><style>*{display:none}</style>";
    let locks = locks();
    let jam = jam(&locks, name, label, &["\u{202e}drawkcab", "שלום 12"]).await;
    let server = Server::of(&locks).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until_shown("#jam-list h3", label).await;
    assert_eq!(browser.run("return typeof hacked").await, "undefined");
    assert_eq!(browser.run("return document.querySelectorAll('script').length").await, 1);
    assert_eq!(browser.run("return document.querySelectorAll('img, textarea, main style').length").await, 0);
    // What would turn the text round, or hide it, is spelled out.
    let shown = browser.text("main").await;
    assert!(shown.contains("\\u{202e}gnp.exe"), "{shown}");
    assert!(shown.contains("\\u{202e}drawkcab"), "{shown}");
    assert!(shown.contains("שלום 12"), "{shown}");
    assert!(!shown.contains('\u{202e}'), "{shown}");
    // All that the page has loaded is its own.
    let script =
        "return performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin)).length";
    assert_eq!(browser.run(script).await, 0);
    drop(jam);
    browser.close().await;
}

#[tokio::test]
async fn a_lost_connection_is_shown_and_the_page_comes_back() {
    let Some(browser) = Browser::start("a lost connection is shown").await else { return };
    let locks = locks();
    let server = Server::of(&locks).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until(STATE, json!("live")).await;
    let lost = "return getComputedStyle(document.getElementById('lost')).display !== 'none'";
    assert_eq!(browser.run(lost).await, false);
    let address = server.address.to_string();
    drop(server);
    browser.until(STATE, json!("lost")).await;
    assert_eq!(browser.text("#state").await, "disconnected");
    assert_eq!(browser.run(lost).await, true);
    assert!(browser.text("#lost").await.starts_with("Connection lost, retrying."));
    let source = Arc::clone(&locks);
    let again = Server::at(&address, move || source.locks()).await;
    browser.until(STATE, json!("live")).await;
    assert_eq!(browser.run(lost).await, false);
    drop(again);
    browser.close().await;
}

#[tokio::test]
async fn a_page_that_pauses_asks_for_nothing() {
    let Some(browser) = Browser::start("a page pauses").await else { return };
    let server = Server::of(&locks()).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until(STATE, json!("live")).await;
    browser.run("document.getElementById('pause').focus(); document.activeElement.click()").await;
    browser.until(STATE, json!("paused")).await;
    assert_eq!(browser.run("return stream.readyState === EventSource.CLOSED").await, true);
    assert_eq!(browser.text("#pause").await, "Resume");
    browser.run("document.getElementById('pause').click()").await;
    browser.until(STATE, json!("live")).await;
    browser.close().await;
}

#[tokio::test]
async fn the_table_can_be_filtered_and_sorted() {
    let Some(browser) = Browser::start("the table is filtered").await else { return };
    let locks = locks();
    let jam = jam(&locks, "7", "close month 7", &["transfer"]).await;
    let other = locks.shared("import").await.unwrap().exclusive::<Account>(["a10", "a2"]).await.unwrap();
    let server = Server::of(&locks).await;
    browser.client.goto(&server.url("")).await.unwrap();
    let names = "return [...document.querySelectorAll('#locks tbody td:nth-child(2)')].map(cell => cell.textContent)";
    browser.until(names, json!(["7", "–", "a2", "a10"])).await;
    let set = |id: &str, value: &str| {
        format!(
            "const i = document.getElementById('{id}'); i.value = '{value}'; i.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        )
    };
    browser.run(&set("level", "Account")).await;
    browser.until(names, json!(["a2", "a10"])).await;
    browser.run(&set("level", "")).await;
    browser.run(&set("name", "A1")).await;
    browser.until(names, json!(["a10"])).await;
    browser.run(&set("name", "")).await;
    browser.run(&set("label", "IMPORT")).await;
    browser.until(names, json!(["–", "a2", "a10"])).await;
    browser.run(&set("label", "no such")).await;
    browser.until_shown("#more-locks", "None of 4 locks is as the filters say.").await;
    browser.run(&set("label", "")).await;
    browser.run("document.getElementById('waiting').click()").await;
    browser.until(names, json!(["7"])).await;
    browser.run("document.getElementById('waiting').click()").await;
    for _ in 0..2 {
        browser.run("document.querySelectorAll('#locks th button')[1].click()").await;
    }
    let sorted = "return document.querySelectorAll('#locks th')[1].getAttribute('aria-sort')";
    assert_eq!(browser.run(sorted).await, "descending");
    // Those that are waited for stay first.
    browser.until(names, json!(["7", "a10", "a2", "–"])).await;
    drop((jam, other));
    browser.close().await;
}

#[tokio::test]
async fn a_grant_that_no_task_claims_is_named() {
    let Some(browser) = Browser::start("an unclaimed grant is named").await else { return };
    let locks = locks();
    let jam = jam(&locks, "7", "close month 7", &["forgetful"]).await;
    let mut behind = pin!(async { locks.shared("behind").await.unwrap().exclusive::<Tenant>("7").await });
    assert!(futures::poll!(behind.as_mut()).is_pending());
    drop(jam.holder);
    let server = Server::of(&locks).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until_shown("#jam-list h3", "is granted Tenant 7 and has not claimed it for").await;
    browser.until_shown("#jam-list h3", "forgetful (#").await;
    browser.until_shown("#locks", "granted, not claimed").await;
    drop(jam.waiting);
    browser.close().await;
}

#[tokio::test]
async fn a_circle_through_a_task_is_named() {
    let Some(browser) = Browser::start("a circle is named").await else { return };
    let locks = locks();
    let source = Arc::clone(&locks);
    // One task holds in one session what it waits for in another.
    let task = tokio::spawn(async move {
        let outer = locks.shared("outer").await.unwrap().exclusive::<Tenant>("7").await.unwrap();
        let inner = locks.shared("inner").await.unwrap().exclusive::<Tenant>("7").await;
        drop((outer, inner));
    });
    let server = Server::at("127.0.0.1:0", move || source.locks()).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until_shown("#jam-list .circle", "they wait for each other, and none can go on").await;
    let circle = browser.text("#jam-list .circle").await;
    assert!(circle.starts_with("CIRCLE") && circle.contains("outer (#") && circle.contains("inner (#"), "{circle}");
    task.abort();
    browser.close().await;
}

#[tokio::test]
async fn of_a_thousand_sessions_the_page_draws_some_and_counts_the_rest() {
    let Some(browser) = Browser::start("a thousand sessions").await else { return };
    let locks = locks();
    let labels: Vec<String> = (0..200).map(|number| format!("waiter {number}")).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let jam = jam(&locks, "7", "import", &labels).await;
    let mut others = Vec::new();
    for number in 0..799 {
        let account = format!("a{number}");
        others.push(locks.shared("job").await.unwrap().exclusive::<Account>(account.as_str()).await.unwrap());
    }
    let server = Server::of(&locks).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until_shown("#figures", "1,000 sessions").await;
    browser.until_shown("#jam-list .jam li", "and 192 more sessions").await;
    let count = |selector: &str| format!("return document.querySelectorAll('{selector}').length");
    assert_eq!(browser.run(&count("#locks tbody tr")).await, 100);
    assert_eq!(browser.text("#more-locks").await, "and 701 more locks: the filters find them");
    assert_eq!(browser.run(&count("#timeline .lane")).await, 24);
    assert_eq!(browser.text("#more-lanes").await, "and 976 more sessions: those that waited the longest are shown");
    // It follows by differences: one that ends is gone from the page.
    drop(others.pop());
    browser.until_shown("#figures", "999 sessions").await;
    let Value::Number(drawn) = browser
        .run("const began = performance.now(); for (let i = 0; i < 10; i += 1) draw(); return (performance.now() - began) / 10")
        .await
    else {
        panic!("not a number")
    };
    println!("to draw 1,000 sessions once took {drawn} ms");
    drop(jam);
    browser.close().await;
}

#[tokio::test]
async fn on_a_phone_nothing_is_wider_than_the_screen() {
    let Some(browser) = Browser::on_phone("a phone").await else { return };
    let locks = locks();
    let long =
        "a label that somebody has made longer than any screen of any phone could ever show on a line of its own";
    let jam = jam(&locks, &"x".repeat(300), long, &[long, "second", "third"]).await;
    // A jam of three columns, too: the picture is scrolled in its frame.
    let account = locks.shared("root").await.unwrap().exclusive::<Account>("a").await.unwrap();
    let middle = locks.shared("middle").await.unwrap().exclusive::<Tenant>("8").await.unwrap();
    let (mut middle, mut last) = (Box::pin(middle.exclusive::<Account>("a")), Box::pin(locks.shared("last")));
    assert!(futures::poll!(middle.as_mut()).is_pending());
    let mut last = Box::pin(last.as_mut().await.unwrap().exclusive::<Tenant>("8"));
    assert!(futures::poll!(last.as_mut()).is_pending());
    let server = Server::of(&locks).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until_shown("#jam-list h3", "holds Tenant").await;
    browser.until("return document.querySelectorAll('#graph .box').length", json!(7)).await;
    assert_eq!(browser.run("return innerWidth").await, 390);
    let widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]";
    assert_eq!(browser.run(widths).await, json!([390, 390]));
    drop((jam, account, middle, last));
    browser.close().await;
}

#[tokio::test]
async fn a_set_is_shown_by_its_locks() {
    let Some(browser) = Browser::start("a set is shown").await else { return };
    let set: Arc<lockladder::LockSet<String>> = Arc::new(lockladder::LockSet::new(["a", "b"]));
    let held = set.exclusive("a").await.unwrap();
    let mut waits = Box::pin(set.shared("a"));
    assert!(futures::poll!(waits.as_mut()).is_pending());
    let source = Arc::clone(&set);
    let server = Server::at("127.0.0.1:0", move || source.locks()).await;
    browser.client.goto(&server.url("")).await.unwrap();
    browser.until_shown("#locks tbody", "1 holder").await;
    let hidden = "return ['jams', 'graph', 'timeline'].every(id => document.getElementById(id).hidden)";
    assert_eq!(browser.run(hidden).await, true);
    assert!(browser.text("#figures").await.contains("1 awaited"));
    drop((held, waits));
    browser.close().await;
}
