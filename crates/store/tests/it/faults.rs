//! A bad network. Whatever it does, the outcome is the same object or a clear error, never anything else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fairzarr_store::{Class, Error, Store, StoreOptions};

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
    let store = open_at(proxy.address, "bucket", &StoreOptions::default());
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
        let options = StoreOptions { retries: 2, ..StoreOptions::default() };
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
