//! A bad network. Whatever it does, the outcome is the same object or a clear error, never anything else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fairzarr_store::{Class, Control, Error, Store, StoreOptions};

use crate::servers::noise;
use crate::servers::proxy::{Fault, Proxy, Request};
use crate::servers::s3::{S3, open_at};

/// A store behind a proxy that does `fault` to the first request of each kind and object.
fn once(
    server: &S3,
    fault: Fault,
    chosen: impl Fn(&Request) -> bool + Send + Sync + 'static,
) -> (Store, Proxy) {
    let proxy = Proxy::start(server.address, move |request| {
        if request.earlier == 0 && chosen(request) { fault } else { Fault::None }
    });
    let options = StoreOptions { part_bytes: 5 << 20, ..StoreOptions::default() };
    (open_at(proxy.address, "bucket", &options), proxy)
}

const SLOW: Duration = Duration::from_millis(500);

const PASSING: [Fault; 6] = [
    Fault::Reset,
    Fault::Refuse(503),
    Fault::Refuse(500),
    Fault::Delay(SLOW),
    Fault::Truncate,
    Fault::LoseAnswer,
];

#[test]
fn passing_faults_of_writes_are_survived() {
    for fault in PASSING {
        let server = S3::start();
        let (store, proxy) = once(&server, fault, |_| true);
        let data = noise(200_000, 1);
        store.put("x", data.clone()).unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(std::fs::read(server.file("bucket/x")).unwrap(), data, "{fault:?}");
        assert!(proxy.seen().len() <= 2, "{fault:?}");
        store.delete("x").unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert!(!server.file("bucket/x").exists());
    }
}

#[test]
fn what_was_just_seen_is_not_looked_for_again() {
    let server = S3::start();
    let (store, proxy) = once(&server, Fault::None, |_| false);
    assert!(store.put_new("x", "1").unwrap());
    assert_eq!(proxy.in_series(), 2);
    proxy.forget();
    assert!(store.put_unseen("y", "1").unwrap());
    assert_eq!(proxy.in_series(), 1);
}

#[test]
fn passing_faults_of_reads_are_survived() {
    for fault in PASSING {
        let server = S3::start();
        let data = noise(200_000, 2);
        std::fs::write(server.file("bucket/x"), &data).unwrap();
        let (store, _proxy) = once(&server, fault, |_| true);
        let wrong = |error: Error| -> ! { panic!("{fault:?}: {error:?}") };
        assert_eq!(store.get("x").unwrap_or_else(|error| wrong(error)).unwrap(), data);
        assert_eq!(store.size("x").unwrap_or_else(|error| wrong(error)), Some(200_000));
        let (store, _proxy) = once(&server, fault, |_| true);
        let part = store.get_range("x", 1000..150_000).unwrap_or_else(|error| wrong(error)).unwrap();
        assert_eq!(part, data[1000..150_000]);
        let (store, _proxy) = once(&server, fault, |_| true);
        assert_eq!(
            store.get_suffix("x", 5000).unwrap_or_else(|error| wrong(error)).unwrap(),
            data[195_000..]
        );
    }
}

#[test]
fn passing_faults_of_listings_are_survived_or_told() {
    for fault in PASSING {
        let server = S3::start();
        for i in 0..100 {
            std::fs::write(server.file(&format!("bucket/{i}")), "1").unwrap();
        }
        let (store, _proxy) = once(&server, fault, |_| true);
        match store.list("") {
            Ok(listed) => assert_eq!(listed.len(), 100, "{fault:?}"),
            Err(error) => panic!("{fault:?}: {error:?}"),
        }
    }
}

#[test]
fn passing_faults_of_uploads_in_parts_are_survived() {
    for fault in PASSING {
        let server = S3::start();
        let (store, _proxy) = once(&server, fault, |request| !request.target.ends_with("?uploads="));
        let data = noise(12 << 20, 3);
        store.put("x", data.clone()).unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(std::fs::read(server.file("bucket/x")).unwrap(), data, "{fault:?}");
        assert_eq!(server.debris(), [""; 0], "{fault:?}");
    }
}

#[test]
fn a_lost_answer_does_not_lose_the_race() {
    for fault in PASSING {
        let server = S3::start();
        let (store, _proxy) = once(&server, fault, |request| request.method == "PUT");
        assert!(
            store.put_new("zarr.json", "mine").unwrap_or_else(|error| panic!("{fault:?}: {error:?}")),
            "{fault:?}"
        );
        assert!(!store.put_new("zarr.json", "mine").unwrap(), "a second time it was there before");
    }
}

#[test]
fn somebody_elses_object_behind_a_lost_answer() {
    // The first attempt never arrives, and before the second somebody else writes.
    let server = S3::start();
    let file = server.file("bucket/zarr.json");
    let proxy = Proxy::start(server.address, move |request| {
        if request.method == "PUT" && request.earlier == 0 {
            std::fs::write(&file, "theirs").unwrap();
            return Fault::Reset;
        }
        Fault::None
    });
    let store = open_at(proxy.address, "bucket", &StoreOptions::default());
    assert!(!store.put_new("zarr.json", "mine").unwrap());
    assert_eq!(store.get("zarr.json").unwrap().unwrap(), "theirs");
}

#[test]
fn damage_on_the_way_is_refused() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |_| Fault::Corrupt);
    // This server says 500 to damage, which might pass.
    let options = StoreOptions { retry_for: Duration::from_millis(400), ..StoreOptions::default() };
    let store = open_at(proxy.address, "bucket", &options);
    store.put("x", noise(10_000, 4)).unwrap_err();
    assert_eq!(store.get("x").unwrap(), None);
}

#[test]
fn permanent_refusals_are_not_repeated() {
    let server = S3::start();
    for (status, class) in [(403, Class::Permission), (400, Class::Other), (501, Class::Unsupported)] {
        let proxy = Proxy::start(server.address, move |_| Fault::Refuse(status));
        let store = open_at(proxy.address, "bucket", &StoreOptions::default());
        let error = store.put("x", "1").unwrap_err();
        assert_eq!(error.class(), class, "{error:?}");
        assert_eq!(store.get("x").unwrap_err().class(), class);
        assert_eq!(proxy.seen().iter().filter(|request| request.method == "PUT").count(), 1);
        assert_eq!(proxy.seen().iter().filter(|request| request.method == "GET").count(), 1);
    }
}

#[test]
fn faults_that_stay_end_in_a_clear_error() {
    let server = S3::start();
    std::fs::write(server.file("bucket/x"), noise(100_000, 5)).unwrap();
    for (fault, class) in [
        (Fault::Refuse(503), Class::Throttled),
        (Fault::Refuse(500), Class::Transient),
        (Fault::Reset, Class::Transient),
        (Fault::LoseAnswer, Class::Transient),
        (Fault::Truncate, Class::Transient),
    ] {
        let proxy = Proxy::start(server.address, move |_| fault);
        let options = StoreOptions { retry_for: Duration::from_millis(400), ..StoreOptions::default() };
        let store = open_at(proxy.address, "bucket", &options);
        let error = store.get("x").unwrap_err();
        assert_eq!(error.class(), class, "{fault:?}: {error:?}");
        assert!(error.to_string().starts_with("cannot read x in s3://bucket"), "{error}");
        if matches!(fault, Fault::Truncate) {
            continue;
        }
        let error = store.put("y", "1").unwrap_err();
        assert_eq!(error.class(), class, "{fault:?}: {error:?}");
        let error = store.put_new("z", "1").unwrap_err();
        assert_eq!(error.class(), class, "{fault:?}: {error:?}");
    }
}

#[test]
fn a_whole_store_through_a_bad_network() {
    let server = S3::start();
    let dice = AtomicU64::new(12345);
    let proxy = Proxy::start(server.address, move |_| {
        let next = |old: u64| Some(old.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        let roll = dice.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap() >> 33;
        // One request in four meets a fault.
        match roll % 24 {
            0 => Fault::Reset,
            1 => Fault::Refuse(503),
            2 => Fault::Refuse(500),
            3 => Fault::Delay(Duration::from_millis(300)),
            4 => Fault::Truncate,
            5 => Fault::LoseAnswer,
            _ => Fault::None,
        }
    });
    let options = StoreOptions { part_bytes: 5 << 20, ..StoreOptions::default() };
    let store = open_at(proxy.address, "bucket/bad.ome.zarr", &options);
    let object = |i: usize| noise(if i.is_multiple_of(20) { 11 << 20 } else { 40_000 + i }, i as u64);
    for i in 0..60 {
        store.put_in_background(&format!("0/c/{i}"), object(i).into()).unwrap();
    }
    store.flush().unwrap();
    assert!(store.put_new("zarr.json", "{}").unwrap());
    for i in 0..60 {
        assert_eq!(store.get(&format!("0/c/{i}")).unwrap().unwrap(), object(i), "{i}");
        assert_eq!(
            std::fs::read(server.file(&format!("bucket/bad.ome.zarr/0/c/{i}"))).unwrap(),
            object(i),
            "{i}"
        );
    }
    assert_eq!(store.list("").unwrap().len(), 61);
}

#[test]
fn an_outage_is_lived_through() {
    let server = S3::start();
    let start = Instant::now();
    let proxy = Proxy::start(server.address, move |_| {
        if start.elapsed() < Duration::from_millis(1500) { Fault::Refuse(503) } else { Fault::None }
    });
    let control = Control::new();
    let options = StoreOptions { control: control.clone(), ..StoreOptions::default() };
    let store = open_at(proxy.address, "bucket", &options);
    for i in 0..60 {
        store.put_in_background(&format!("{i}"), noise(10_000, i).into()).unwrap();
    }
    store.flush().unwrap();
    assert_eq!(store.list("").unwrap().len(), 60);
    assert!(control.repeats() > 0);
    assert!(control.waiting().is_empty(), "{:?}", control.waiting());
    // Requests share their pauses: those of an outage are few rounds of what is under way, not a storm.
    assert!(proxy.seen().len() < 60 + 32 * 12, "{} requests", proxy.seen().len());
}

#[test]
fn what_is_waited_for_is_told() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |_| Fault::Refuse(503));
    let control = Control::new();
    let options = StoreOptions {
        control: control.clone(),
        retry_for: Duration::from_mins(1),
        ..StoreOptions::default()
    };
    let store = open_at(proxy.address, "bucket", &options);
    store.put_in_background("x", "1".into()).unwrap();
    let told = loop {
        if let Some(waiting) = control.waiting().into_iter().next() {
            break waiting.to_string();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(told.starts_with("waiting for s3://bucket: 503 SlowDown, trying again for "), "{told}");
    control.cancel();
    let error = store.flush().unwrap_err();
    assert!(control.waiting().is_empty());
    assert!(matches!(error, Error::Background(_)), "{error:?}");
}

#[test]
fn a_cancellation_ends_what_a_silent_server_holds_up() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |request| {
        let is_of_mark = request.target.contains("mark") || request.target.contains("?delete");
        if is_of_mark { Fault::None } else { Fault::Delay(Duration::from_mins(10)) }
    });
    let control = Control::new();
    let options = StoreOptions { control: control.clone(), ..StoreOptions::default() };
    let store = open_at(proxy.address, "bucket", &options);
    store.put("mark", "1").unwrap();
    for i in 0..100 {
        store.put_in_background(&format!("{i}"), "1".into()).unwrap();
    }
    let stopper = control.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stopper.cancel();
    });
    let start = Instant::now();
    assert_eq!(store.flush().unwrap_err().class(), Class::Cancelled);
    assert_eq!(store.get("x").unwrap_err().class(), Class::Cancelled);
    // What would be left behind can still be taken away.
    store.delete("mark").unwrap();
    assert!(!server.file("bucket/mark").exists());
    assert!(start.elapsed() < Duration::from_mins(1));
}

#[test]
fn a_failure_for_good_drops_the_queue() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |request| {
        if request.target.contains("bad") {
            Fault::Refuse(403)
        } else {
            Fault::Delay(Duration::from_mins(10))
        }
    });
    let store = open_at(proxy.address, "bucket", &StoreOptions::default());
    for i in 0..20 {
        store.put_in_background(&format!("{i}"), "1".into()).unwrap();
    }
    store.put_in_background("bad", "1".into()).unwrap();
    let start = Instant::now();
    assert_eq!(store.flush().unwrap_err().class(), Class::Permission);
    assert!(start.elapsed() < Duration::from_mins(1));
}

#[test]
fn who_waits_for_an_upload_does_not_wait_for_those_in_the_background() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |request| {
        if request.target.contains("chunk") { Fault::Delay(Duration::from_secs(5)) } else { Fault::None }
    });
    let options = StoreOptions { concurrency: 1, ..StoreOptions::default() };
    let store = open_at(proxy.address, "bucket", &options);
    for i in 0..3 {
        store.put_in_background(&format!("chunk{i}"), "1".into()).unwrap();
    }
    let start = Instant::now();
    // The mark of a lease, for which these wait after an outage.
    store.put("mark", "renewed").unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    store.abort();
}

#[test]
fn an_upload_that_was_damaged_on_the_way_is_sent_again() {
    let server = S3::start();
    let (store, proxy) = once(&server, Fault::Corrupt, |request| request.method == "PUT");
    let data = noise(10_000, 7);
    store.put("x", data.clone()).unwrap();
    assert_eq!(std::fs::read(server.file("bucket/x")).unwrap(), data);
    assert_eq!(proxy.seen().len(), 2);
}
