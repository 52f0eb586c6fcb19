//! Text of files, stores and names is shown with what acts in it as escapes, whichever command shows it; JSON keeps its values.

use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::support::tiff::{Sample, Tiff};
use crate::support::{Outcome, convert, fairzarr, text};

/// Controls of a terminal, ends of lines, an override of reading order, a character without width: each in the text of a file.
const EVIL: &str = "a\u{9b}2K\u{202e}b\u{200b}\nall equal";
/// The same where XML says it.
const EVIL_XML: &str = "a&#x9b;2K&#x202e;b&#x200b;&#10;all equal";

/// Nothing that was printed acts, and no line begins with what a name said.
#[track_caller]
fn harmless(outcome: &Outcome) {
    for text in [&outcome.out, &outcome.err] {
        let acts = |c: char| c != '\n' && (c.is_control() || ['\u{202e}', '\u{200b}'].contains(&c));
        assert!(!text.contains(acts), "{outcome:?}");
        assert!(!text.lines().any(|line| line.starts_with("all equal")), "{outcome:?}");
    }
}

/// The outcome, which shows the text, as an escape.
#[track_caller]
fn shows(outcome: Outcome) -> Outcome {
    harmless(&outcome);
    assert!((outcome.out.clone() + &outcome.err).contains("\\u{202e}b\\u{200b}"), "{outcome:?}");
    outcome
}

/// A file whose names and channels are such.
fn source(folder: &Path) -> PathBuf {
    let xml = format!(
        r#"<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Instrument ID="Instrument:0"><Microscope
        Manufacturer="{EVIL_XML}" Model="{EVIL_XML}"/></Instrument><Image ID="Image:0" Name="{EVIL_XML}"><InstrumentRef
        ID="Instrument:0"/><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="20" SizeY="16" SizeZ="1"
        SizeC="1" SizeT="1"><Channel ID="Channel:0:0" Name="{EVIL_XML}" SamplesPerPixel="1"/><TiffData IFD="0"/></Pixels>
        </Image></OME>"#
    );
    let mut tiff = Tiff::of(Sample::U16, [1, 1, 1, 16, 20]);
    tiff.described = Some(xml);
    let path = folder.join("source.ome.tiff");
    tiff.write(&path);
    path
}

#[test]
fn what_acts_is_an_escape_in_every_report() {
    let dir = TempDir::new().unwrap();
    let (source, store) = (source(dir.path()), dir.path().join("store.zarr"));
    shows(fairzarr(["inspect", &text(&source)]).done());
    harmless(&convert(&source, &store, &[]).done());
    shows(fairzarr(["inspect", &text(&store)]).done());
    for command in ["check", "qc", "methods"] {
        harmless(&fairzarr([command, &text(&store)]));
    }
    shows(fairzarr(["methods", &text(&source)]).done());

    // JSON has the same values, without a character that acts.
    let json = fairzarr(["inspect", &text(&store), "--json"]).done();
    harmless(&json);
    assert_eq!(json.json()["images"][0]["name"], EVIL);
}

#[test]
fn what_acts_is_an_escape_where_proofs_and_demands_fail() {
    let dir = TempDir::new().unwrap();
    let (source, store) = (source(dir.path()), dir.path().join("store.zarr"));
    convert(&source, &store, &[]).done();
    let document = store.join("zarr.json");
    let mut root: serde_json::Value = serde_json::from_slice(&fs::read(&document).unwrap()).unwrap();
    root["attributes"]["ome"]["multiscales"][0]["axes"][0]["unit"] = EVIL.into();
    root["attributes"]["ome"]["multiscales"][0]["axes"][0]["name"] = EVIL.into();
    root["attributes"]["ome"]["multiscales"][0]["datasets"][0]["path"] = EVIL.into();
    fs::write(&document, root.to_string()).unwrap();
    shows(fairzarr(["validate", &text(&store)]).ends_with(1));
    harmless(&fairzarr(["verify", &text(&source), &text(&store)]));
    harmless(&fairzarr(["verify", &text(&store)]));
    harmless(&fairzarr(["export", &text(&store), &text(&dir.path().join("back.ome.tiff"))]));
}

#[test]
fn what_acts_is_an_escape_in_messages_about_what_was_typed() {
    let dir = TempDir::new().unwrap();
    let name = text(&dir.path().join(EVIL));
    for command in
        [["inspect", &name].as_slice(), &["verify", &name], &["convert", &name, "x.zarr"], &["check", &name]]
    {
        shows(fairzarr(command).ends_with(3));
    }
    // The parser of the command line repeats what it does not know.
    for words in [
        ["inspect", "x", EVIL].as_slice(),
        &["check", "x", "--policy", EVIL],
        &["copy", "a", "b", "--chunk", EVIL],
    ] {
        harmless(&fairzarr(words).ends_with(2));
    }
}

#[test]
fn what_acts_is_an_escape_in_the_report_of_a_migration() {
    let dir = TempDir::new().unwrap();
    let (from, to, page) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("page.html"));
    fs::create_dir(&from).unwrap();
    let good = source(&from);
    fs::rename(&good, from.join("a\u{202e}b\u{200b}<script>.ome.tiff")).unwrap();
    fs::write(from.join("bad\u{9b}\u{202e}b\u{200b}\nall equal.tif"), b"II*\0\x08\0\0\0").unwrap();
    harmless(&fairzarr(["migrate", &text(&from), &text(&to), "--dry-run"]));
    harmless(&fairzarr(["migrate", &text(&from), &text(&to), "--durability=none"]).ends_with(7));
    harmless(&fairzarr(["migrate", "status", &text(&to)]));
    harmless(&fairzarr(["migrate", "report", &text(&to), "--html", &text(&page)]).done());
    let html = fs::read_to_string(&page).unwrap();
    assert!(!html.contains(['\u{9b}', '\u{202e}', '\u{200b}']));
    assert!(html.contains("\\u202eb\\u200b\\u003cscript>"), "the values are there");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_no_regular_file_is_refused_unopened() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let dir = TempDir::new().unwrap();
    let (source, store) = (source(dir.path()), dir.path().join("store.zarr"));
    let pipe = dir.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let (source, store, pipe) = (text(&source), text(&store), text(&pipe));
    // None of these ends by itself if the pipe is opened.
    for place in [pipe.as_str(), "/dev/zero", dir.path().to_str().unwrap()] {
        for words in [
            ["convert", &source, &store, "--nbo", place].as_slice(),
            &["convert", &source, &store, "--nbo-mapping", place],
            &["check", &source, "--policy", place],
            &["migrate", &store, "--from", place],
        ] {
            let refused = fairzarr(words);
            assert!(matches!(refused.code, Some(2 | 3)), "{words:?}: {refused:?}");
            assert!(refused.message().contains(place), "{words:?}: {refused:?}");
        }
    }
    for command in ["inspect", "check", "qc", "methods", "verify", "validate"] {
        assert_eq!(fairzarr([command, &pipe]).ends_with(3).out, "", "{command}");
    }
    assert!(!Path::new(&store).exists());
}
