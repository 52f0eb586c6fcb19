//! Reading from web servers, with and without ranges, ETags and HEAD.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use fairzarr_store::{Class, Control, Error, Location, RemoteFile, Store, StoreOptions};

use crate::servers::noise;
use crate::servers::web::{Abilities, Web};

fn open(web: &Web, path: &str) -> Result<RemoteFile, Error> {
    RemoteFile::open(&web.url(path).parse().unwrap(), &StoreOptions::default())
}

#[test]
fn a_store_on_a_web_server() {
    let web = Web::start(Abilities::default());
    web.put("data/a%20b.ome.zarr/zarr.json", b"{}");
    web.put("data/a%20b.ome.zarr/0/c/0", b"0123456789");
    let store =
        Store::open(&web.url("data/a%20b.ome.zarr/").parse().unwrap(), &StoreOptions::default()).unwrap();
    assert_eq!(store.get("zarr.json").unwrap().unwrap(), "{}");
    assert_eq!(store.get("0/zarr.json").unwrap(), None);
    assert_eq!(store.get_range("0/c/0", 2..5).unwrap().unwrap(), "234");
    assert_eq!(store.get_suffix("0/c/0", 3).unwrap().unwrap(), "789");
    assert!(matches!(store.get_range("0/c/0", 8..11), Err(Error::Range { size: 10, .. })));
    assert!(matches!(store.get_range("0/c/0", 20..21), Err(Error::Range { size: 10, .. })));
    assert_eq!(store.size("0/c/0").unwrap(), Some(10));
    assert_eq!(store.size("0/c/1").unwrap(), None);
    for error in [
        store.put("x", "1").unwrap_err(),
        store.put_new("x", "1").unwrap_err(),
        store.delete("zarr.json").unwrap_err(),
        store.list("").unwrap_err(),
        store.list_children("").unwrap_err(),
    ] {
        assert_eq!(error.class(), Class::Unsupported, "{error}");
    }
}

#[test]
fn a_file_is_not_fetched_whole() {
    let web = Web::start(Abilities::default());
    let data = noise(20 << 20, 1);
    web.put("x.ome.tif", &data);
    let file = open(&web, "x.ome.tif").unwrap();
    assert_eq!(file.len(), data.len() as u64);
    let mut buffer = vec![0; 5000];
    for start in [0, 10_000_000, 20_000_000, 10_005_000] {
        file.read_at(start, &mut buffer).unwrap();
        assert_eq!(buffer, data[start as usize..start as usize + 5000]);
    }
    assert_eq!(web.requests(), 3);
    assert!(web.bytes() < 1 << 20, "{} bytes sent", web.bytes());
    let error = file.read_at(file.len(), &mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_server_without_ranges_is_asked_once_for_all() {
    let web = Web::start(Abilities { ranges: false, ..Abilities::default() });
    let data = noise(3 << 20, 2);
    web.put("x.ome.tif", &data);
    let file = open(&web, "x.ome.tif").unwrap();
    let mut buffer = vec![0; 5000];
    for start in [0, 1_000_000, 3_000_000] {
        file.read_at(start, &mut buffer).unwrap();
        assert_eq!(buffer, data[start as usize..start as usize + 5000]);
    }
    assert_eq!(file.read_ranges(&[5..9, 0..1]).unwrap(), [&data[5..9], &data[..1]]);
    assert!(web.requests() <= 3, "{} requests", web.requests());

    let store = Store::open(&web.url("").parse().unwrap(), &StoreOptions::default()).unwrap();
    assert_eq!(store.get("x.ome.tif").unwrap().unwrap(), data);
    assert_eq!(store.get_range("x.ome.tif", 0..10).unwrap_err().class(), Class::Unsupported);
}

#[test]
fn a_file_larger_than_allowed_is_told_and_not_fetched_from_a_server_without_ranges() {
    let web = Web::start(Abilities { ranges: false, ..Abilities::default() });
    let data = noise(3 << 20, 2);
    web.put("x.ome.tif", &data);
    let options = StoreOptions { max_download_bytes: 1 << 20, ..StoreOptions::default() };
    let error = RemoteFile::open(&web.url("x.ome.tif").parse().unwrap(), &options).unwrap_err();
    assert_eq!(error.class(), Class::Unsupported);
    let text = error.to_string();
    assert!(text.contains("does not answer requests for a part") && text.contains("3145728 bytes"), "{text}");
    // The answer to the refused request for a range may have been on its way.
    assert!(web.bytes() <= data.len() as u64);
}

#[test]
fn a_signed_url_keeps_its_signature() {
    let web = Web::start(Abilities { signed: true, head: false, ..Abilities::default() });
    let data = noise(300_000, 3);
    web.put("x.ome.tif", &data);
    let file = open(&web, "x.ome.tif?signature=valid").unwrap();
    let mut buffer = vec![0; 300_000];
    file.read_at(0, &mut buffer).unwrap();
    assert_eq!(buffer, data);
    let error = open(&web, "x.ome.tif?signature=wrong").unwrap_err();
    assert_eq!(error.class(), Class::Permission, "{error:?}");
    assert!(!error.to_string().contains("wrong"), "{error}");
}

#[test]
fn a_server_without_head() {
    let web = Web::start(Abilities { head: false, ..Abilities::default() });
    web.put("x", b"0123456789");
    web.put("empty", b"");
    let store = Store::open(&web.url("").parse().unwrap(), &StoreOptions::default()).unwrap();
    assert_eq!(store.size("x").unwrap(), Some(10));
    assert_eq!(store.size("empty").unwrap(), Some(0));
    assert_eq!(store.size("y").unwrap(), None);
}

#[test]
fn answers_that_break_off_are_asked_for_again() {
    for etags in [true, false] {
        let web = Web::start(Abilities { breaks_off: true, etags, ..Abilities::default() });
        let data = noise(500_000, 4);
        web.put("x", &data);
        let store = Store::open(&web.url("").parse().unwrap(), &StoreOptions::default()).unwrap();
        assert_eq!(store.get("x").unwrap().unwrap(), data, "etags: {etags}");
        assert_eq!(
            store.get_range("x", 1000..400_000).unwrap().unwrap(),
            data[1000..400_000],
            "etags: {etags}"
        );
        let file = open(&web, "x").unwrap();
        let mut buffer = vec![0; 500_000];
        file.read_at(0, &mut buffer).unwrap();
        assert_eq!(buffer, data, "etags: {etags}");
    }
}

#[test]
fn a_file_that_changes_is_noticed() {
    let web = Web::start(Abilities::default());
    web.put("x.ome.tif", &noise(1_000_000, 5));
    let file = open(&web, "x.ome.tif").unwrap();
    web.put("x.ome.tif", &noise(1_000_000, 6));
    let error = file.read_at(500_000, &mut [0; 100]).unwrap_err();
    let inner = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(inner.class(), Class::Precondition, "{inner}");
    assert!(file.read_ranges(&[500_000..500_010, 0..1]).is_err());
}

#[test]
fn what_is_not_there() {
    let web = Web::start(Abilities::default());
    assert_eq!(open(&web, "no.tif").unwrap_err().class(), Class::NotFound);
    let location: Location = web.url("").parse().unwrap();
    assert!(matches!(RemoteFile::open(&location, &StoreOptions::default()), Err(Error::Location { .. })));
}

/// A server that gives each request to `answer`, which gets its path and gives what goes back; none means silence.
fn scripted(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for mut client in listener.incoming().flatten() {
            let Some((head, _)) = crate::servers::read_head(&mut client) else { continue };
            match answer(head.split(' ').nth(1).unwrap()) {
                // A client that goes away is no failure of the server.
                Some(text) => drop(client.write_all(text.as_bytes())),
                None => silent.push(client),
            }
        }
    });
    format!("http://{address}")
}

fn sent_on(place: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

#[test]
fn a_server_is_followed_to_other_places_only_where_that_is_allowed() {
    let web = Web::start(Abilities::default());
    web.put("x.tif", b"0123456789");
    let elsewhere = web.url("x.tif");
    let server = scripted(move |path| {
        Some(sent_on(match path {
            "/other.tif" => &elsewhere,
            "/secret.tif" => "http://169.254.169.254/latest/meta-data",
            "/file.tif" => "file:///etc/passwd",
            _ => path,
        }))
    });
    let open = |name: &str, follow_redirects: bool| {
        let options = StoreOptions { follow_redirects, ..StoreOptions::default() };
        RemoteFile::open(&format!("{server}/{name}").parse().unwrap(), &options)
    };
    let refused = open("other.tif", false).unwrap_err();
    assert_eq!(refused.class(), Class::Elsewhere, "{refused}");
    assert_eq!(web.requests(), 0);
    assert_eq!(open("other.tif", true).unwrap().len(), 10);
    for name in ["secret.tif", "file.tif", "loop.tif"] {
        let start = Instant::now();
        let refused = open(name, true).unwrap_err();
        assert_eq!(refused.class(), Class::Malformed, "{name}: {refused}");
        assert!(start.elapsed() < Duration::from_secs(5), "{name}");
    }
}

#[test]
fn a_silent_server_is_told_and_given_up_within_the_time_to_try() {
    let server = scripted(|_| None);
    let control = Control::new();
    let options = StoreOptions {
        retry_for: Duration::from_secs(7),
        control: control.clone(),
        ..StoreOptions::default()
    };
    let start = Instant::now();
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(6));
        control.waiting()
    });
    let error = RemoteFile::open(&format!("{server}/x.tif").parse().unwrap(), &options).unwrap_err();
    assert_eq!(error.class(), Class::Transient, "{error}");
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
    let told = waiting.join().unwrap();
    assert_eq!(told.len(), 1);
    assert!(told[0].to_string().contains("no answer for"), "{}", told[0]);
}
