//! What object stores have that directories have not: credentials, parts, uploads under way.

use std::time::{Duration, Instant};

use fairzarr_store::{Class, Error, RemoteFile, Store, StoreOptions};

use crate::servers::noise;
use crate::servers::proxy::{Fault, Proxy, Request};
use crate::servers::s3::{S3, open_at};
use crate::suite;

fn with(key: &str, value: &str) -> StoreOptions {
    let mut options = StoreOptions::default();
    options.options.push((key.to_owned(), value.to_owned()));
    options
}

fn small_parts() -> StoreOptions {
    StoreOptions { part_bytes: 5 << 20, ..StoreOptions::default() }
}

/// Whether a request sends a part of an upload.
fn is_part(request: &Request) -> bool {
    request.method == "PUT" && request.target.contains("partNumber=")
}

#[test]
fn wrong_credentials_are_permission() {
    let server = S3::start();
    let store = server.open("bucket", &with("aws_secret_access_key", "not it"));
    let start = Instant::now();
    for error in [store.put("x", "1").unwrap_err(), store.get("x").unwrap_err(), store.list("").unwrap_err()]
    {
        assert_eq!(error.class(), Class::Permission, "{error}");
        assert!(error.to_string().contains("s3://bucket: permission denied"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(5), "a refusal must not be repeated");
}

#[test]
fn anonymous_access() {
    let server = S3::open_to_all();
    let store = server.open("bucket", &with("anonymous", "true"));
    store.put("x", "1").unwrap();
    assert_eq!(store.get("x").unwrap().unwrap(), "1");
}

/// Google's client speaks a dialect of the same protocol, so that its requests can be tested here too. Not its logins,
/// which the proxy takes out, nor its conditional writes, which this server takes for plain ones.
#[test]
fn the_google_client() {
    let server = S3::open_to_all();
    let proxy = Proxy::start(server.address, |_| Fault::None);
    let account = format!(
        r#"{{"gcs_base_url": "http://{}", "disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}}"#,
        proxy.address
    );
    let mut options = with("google_service_account_key", &account);
    options.options.push(("allow_http".to_owned(), "true".to_owned()));
    let store = Store::open(&"gs://bucket/x.ome.zarr".parse().unwrap(), &options).unwrap();
    suite::run(&store);
    suite::run_large(&store);
    assert_eq!(server.debris(), [""; 0]);
}

#[test]
fn a_missing_bucket() {
    // The server at hand would make one.
    let server = S3::start();
    let proxy = Proxy::start(server.address, |_| Fault::Refuse(404));
    let store = open_at(proxy.address, "nosuchbucket", &StoreOptions::default());
    assert_eq!(store.put("x", "1").unwrap_err().class(), Class::NotFound);
    assert_eq!(store.get("x").unwrap(), None);
}

#[test]
fn a_server_that_is_not_there() {
    let mut options = with("aws_endpoint", "http://127.0.0.1:9");
    options.retry_for = Duration::from_millis(200);
    let store = open_at("127.0.0.1:9".parse().unwrap(), "bucket", &options);
    let error = store.get("x").unwrap_err();
    assert_eq!(error.class(), Class::Transient);
    assert!(error.to_string().contains("cannot read x in s3://bucket"), "{error}");
}

#[test]
fn unknown_options_are_refused() {
    let error = Store::open(&"s3://bucket".parse().unwrap(), &with("aws_endpiont", "x")).unwrap_err();
    assert!(matches!(error, Error::Option { .. }), "{error}");
    assert!(error.to_string().contains("aws_endpiont"), "{error}");
}

#[test]
fn opening_asks_nobody() {
    for location in [
        "s3://bucket/x",
        "gs://bucket/x",
        "https://example.org/x",
        "abfss://c@account.dfs.core.windows.net/x",
    ] {
        let store = Store::open(&location.parse().unwrap(), &StoreOptions::default())
            .unwrap_or_else(|error| panic!("{location}: {error:?}"));
        assert_eq!(store.requests(), fairzarr_store::RequestCounts::default());
        assert_eq!(store.location().to_string(), location);
    }
}

#[test]
fn settings_that_do_not_fit_are_told() {
    let error =
        Store::open(&"s3://bucket/x".parse().unwrap(), &with("aws_allow_http", "perhaps")).unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error:?}");
    let error =
        Store::open(&"s3://bucket/x".parse().unwrap(), &with("aws_checksum_algorithm", "md2")).unwrap_err();
    assert_eq!(error.class(), Class::Usage, "{error:?}");
}

#[test]
fn objects_carry_their_type_and_a_checked_hash() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |_| Fault::None);
    let store = open_at(proxy.address, "bucket", &StoreOptions::default());
    store.put("zarr.json", "{}").unwrap();
    store.put("0/c/0", "1234").unwrap();
    let heads: Vec<String> = proxy.seen().iter().map(|request| request.head.to_ascii_lowercase()).collect();
    assert!(heads[0].contains("content-type: application/json"), "{}", heads[0]);
    assert!(heads[1].contains("content-type: application/octet-stream"), "{}", heads[1]);
    // SHA-256 of "{}": the server refuses other bytes.
    let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert!(heads[0].contains(&format!("x-amz-content-sha256: {hash}")), "{}", heads[0]);
}

#[test]
fn large_objects_go_in_equal_parts() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |_| Fault::None);
    let store = open_at(proxy.address, "bucket", &small_parts());
    let data = noise((17 << 20) + 12_345, 1);
    store.put("shard", data.clone()).unwrap();
    assert_eq!(std::fs::read(server.file("bucket/shard")).unwrap(), data);
    assert_eq!(server.debris(), [""; 0]);
    let parts: Vec<_> = proxy.seen().into_iter().filter(is_part).collect();
    assert_eq!(parts.len(), 4);
    let full =
        parts.iter().filter(|part| part.head.to_ascii_lowercase().contains("content-length: 5242880\r"));
    assert_eq!(full.count(), 3);
    // One request to open, four parts, one to complete.
    assert_eq!(store.requests().puts, 6);
    // A second object of exactly one part's size goes in one request.
    store.put("small", vec![7; 5 << 20]).unwrap();
    assert_eq!(store.requests().puts, 7);
}

#[test]
fn a_part_that_fails_for_good_leaves_nothing() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |request| {
        if request.target.contains("partNumber=3") { Fault::Refuse(403) } else { Fault::None }
    });
    let store = open_at(proxy.address, "bucket", &small_parts());
    let error = store.put("shard", noise(18 << 20, 2)).unwrap_err();
    assert_eq!(error.class(), Class::Permission, "{error}");
    assert_eq!(store.get("shard").unwrap(), None);
    assert_eq!(server.debris(), [""; 0]);
}

#[test]
fn aborted_uploads_leave_nothing() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |request| {
        if is_part(request) { Fault::Delay(Duration::from_secs(1)) } else { Fault::None }
    });
    let store = open_at(proxy.address, "bucket", &small_parts());
    let data = bytes::Bytes::from(noise(30 << 20, 3));
    store.put_in_background("aborted", data.clone()).unwrap();
    while !proxy.seen().iter().any(is_part) {
        std::thread::sleep(Duration::from_millis(5));
    }
    store.abort();
    assert_eq!(server.debris(), [""; 0]);
    assert!(matches!(store.flush(), Err(Error::Background(_))));
    assert_eq!(store.list("").unwrap(), []);

    // The store is still good.
    store.put("next", "1").unwrap();
    // Dropping does the same.
    let before = proxy.seen().iter().filter(|request| is_part(request)).count();
    store.put_in_background("dropped", data).unwrap();
    while proxy.seen().iter().filter(|request| is_part(request)).count() == before {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(store);
    assert_eq!(server.debris(), [""; 0]);
}

#[test]
fn background_failures_surface() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |request| {
        if request.target.contains("bad") { Fault::Refuse(403) } else { Fault::None }
    });
    let store = open_at(proxy.address, "bucket", &StoreOptions::default());
    store.put_in_background("good", "1".into()).unwrap();
    // What is under way when another upload fails is dropped.
    store.flush().unwrap();
    store.put_in_background("bad", "2".into()).unwrap();
    let error = store.flush().unwrap_err();
    assert_eq!(error.class(), Class::Permission);
    let Error::Background(earlier) = &error else { panic!("{error}") };
    assert!(earlier.to_string().contains("cannot write bad in s3://bucket"), "{earlier}");

    // Without a flush, a later call tells.
    store.put_in_background("bad", "2".into()).unwrap();
    let start = Instant::now();
    while store.put_in_background("more", "3".into()).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(store.sync().is_err());
    // Once reported, it is over.
    store.flush().unwrap();
    assert_eq!(store.get("good").unwrap().unwrap(), "1");
}

#[test]
fn what_waits_is_bounded() {
    let server = S3::start();
    let proxy = Proxy::start(server.address, |_| Fault::Delay(Duration::from_millis(20)));
    let options = StoreOptions { max_in_flight_bytes: 4 << 20, ..StoreOptions::default() };
    let store = open_at(proxy.address, "bucket", &options);
    for i in 0..24 {
        store.put_in_background(&format!("bytes/{i}"), noise(1 << 20, i).into()).unwrap();
    }
    store.flush().unwrap();
    assert!(proxy.most_under_way() <= 4, "{} at once", proxy.most_under_way());
    assert_eq!(store.list("bytes").unwrap().len(), 24);

    let proxy = Proxy::start(server.address, |_| Fault::Delay(Duration::from_millis(20)));
    let options = StoreOptions { concurrency: 3, ..StoreOptions::default() };
    let store = open_at(proxy.address, "bucket", &options);
    for i in 0..24 {
        store.put_in_background(&format!("requests/{i}"), vec![1; 1000].into()).unwrap();
    }
    store.flush().unwrap();
    assert!((2..=3).contains(&proxy.most_under_way()), "{} at once", proxy.most_under_way());
}

#[test]
fn listings_cost_a_request_per_thousand() {
    let server = S3::start();
    for i in 0..2500 {
        let directory = server.file(&format!("bucket/x/{}", i % 5));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(i.to_string()), "1").unwrap();
    }
    let store = server.open("bucket/x", &StoreOptions::default());
    assert_eq!(store.list("").unwrap().len(), 2500);
    assert_eq!(store.requests().lists, 3);
    assert_eq!(store.list_children("").unwrap().directories, ["0", "1", "2", "3", "4"]);
    assert_eq!(store.requests().lists, 4);
    store.delete_prefix("").unwrap();
    assert_eq!(store.list("").unwrap(), []);
    assert_eq!(store.requests().deletes, 3);
}

#[test]
fn ranges_near_each_other_are_one_request() {
    let server = S3::start();
    let data = noise(4 << 20, 5);
    std::fs::write(server.file("bucket/shard"), &data).unwrap();
    let store = server.open("bucket", &StoreOptions::default());
    let parts =
        store.get_ranges("shard", &[0..1000, 1000..5000, 9000..9001, 4_000_000..4_000_010]).unwrap().unwrap();
    assert_eq!(parts, [&data[..1000], &data[1000..5000], &data[9000..9001], &data[4_000_000..4_000_010]]);
    assert_eq!(store.requests().gets, 2);
    store.get_suffix("shard", 64).unwrap().unwrap();
    assert_eq!((store.requests().gets, store.requests().heads), (3, 0));
}

#[test]
fn a_remote_file_is_read_with_few_requests() {
    let server = S3::start();
    let data = noise(24 << 20, 6);
    std::fs::write(server.file("bucket/x.ome.tif"), &data).unwrap();
    let file = RemoteFile::in_store(
        &server.open("bucket", &StoreOptions::default()),
        "x.ome.tif",
        &StoreOptions::default(),
    )
    .unwrap();
    assert_eq!(file.len(), data.len() as u64);
    // A header, a directory at the end, and strips in order.
    let mut buffer = vec![0; 16];
    file.read_at(0, &mut buffer).unwrap();
    file.read_at(file.len() - 16, &mut buffer).unwrap();
    assert_eq!(buffer, data[data.len() - 16..]);
    let mut strip = vec![0; 100_000];
    for start in (0..8_000_000).step_by(100_000) {
        file.read_at(start as u64, &mut strip).unwrap();
        assert_eq!(strip, data[start..start + 100_000]);
    }
    let requests = file.requests();
    assert!(requests.gets <= 12 && requests.heads == 0, "{requests:?}");
}
