//! Names in metadata are anybody's text: links are followed within the folder, and out of it only on request.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{Form, Page, image, ome, plane, refusal, tiff};
use fairzarr_ome_tiff::{Error, Fileset, OpenOptions};

fn open(path: &Path, follow_links: bool) -> Result<Fileset, Error> {
    let mut options = OpenOptions::default();
    options.follow_links = follow_links;
    Fileset::open_path(path, options)
}

/// A document of one plane, in a file of this name.
fn document(name: &str) -> String {
    let plane = format!(r#"<TiffData PlaneCount="1"><UUID FileName="{name}">urn:uuid:1</UUID></TiffData>"#);
    ome("", &image("XYZCT", "uint8", [1, 1, 1, 1, 1], &plane))
}

fn pixel(value: u8) -> Vec<u8> {
    tiff(Form::CLASSIC, &[Page::gray(1, 1, 8, vec![value])])
}

#[test]
fn links_out_of_the_folder_are_refused_unless_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (inside, outside) = (dir.path().join("inside"), dir.path().join("outside"));
    fs::create_dir(&inside).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.tif"), pixel(7)).unwrap();
    fs::write(outside.join("secret.txt"), "password").unwrap();
    fs::write(inside.join("real.tif"), pixel(8)).unwrap();
    symlink(outside.join("secret.tif"), inside.join("a.tif")).unwrap();
    symlink(outside.join("secret.txt"), inside.join("b.tif")).unwrap();
    symlink(inside.join("real.tif"), inside.join("c.tif")).unwrap();
    let set = inside.join("set.companion.ome");

    fs::write(&set, document("a.tif")).unwrap();
    let message = refusal(open(&set, false));
    assert!(message.contains("a.tif is a link to") && message.contains("secret.tif"), "{message}");
    let followed = open(&set, true).unwrap();
    assert_eq!(plane(&followed.images()[0], 0, 0, 0).unwrap(), [7]);

    // Nothing of a foreign file is shown, whether it is followed or not.
    fs::write(&set, document("b.tif")).unwrap();
    for follow_links in [false, true] {
        let message = refusal(open(&set, follow_links));
        assert!(!message.contains("passw"), "{message}");
    }
    // A link that stays in the folder is one of its files.
    fs::write(&set, document("c.tif")).unwrap();
    assert_eq!(plane(&open(&set, false).unwrap().images()[0], 0, 0, 0).unwrap(), [8]);
}

#[test]
fn the_file_that_is_named_may_be_a_link_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (archive, here) = (dir.path().join("archive"), dir.path().join("here"));
    fs::create_dir(&archive).unwrap();
    fs::create_dir(&here).unwrap();
    fs::write(archive.join("set.companion.ome"), document("a.tif")).unwrap();
    fs::write(archive.join("a.tif"), pixel(9)).unwrap();
    for name in ["set.companion.ome", "a.tif"] {
        symlink(archive.join(name), here.join(name)).unwrap();
    }
    let set = open(&here.join("set.companion.ome"), false).unwrap();
    assert_eq!(plane(&set.images()[0], 0, 0, 0).unwrap(), [9]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_opened() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(OsStr::from_bytes(b"\xe9.ome.tif"));
    let xml = ome("", &image("XYZCT", "uint8", [1, 1, 1, 1, 1], "<TiffData/>"));
    fs::write(&path, tiff(Form::CLASSIC, &[Page::gray(1, 1, 8, vec![3]).described(&xml)])).unwrap();
    let set = open(&path, false).unwrap();
    assert_eq!(set.files()[0].name, "\u{e9}.ome.tif");
    assert_eq!(plane(&set.images()[0], 0, 0, 0).unwrap(), [3]);
}
