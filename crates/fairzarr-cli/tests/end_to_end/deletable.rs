//! `migrate deletable` names what is proven, and nothing else: whatever has happened to sources, stores and state since, the files
//! that it is about are kept, and all others are still named.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use crate::parts::plate;
use crate::support::tiff::{Picture, Sample, Tiff};
use crate::support::{Outcome, convert, fairzarr, text, tree};

/// A set of two files that each describe themselves, and belong together by the word of this document.
const COMPANION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="set"><Pixels ID="Pixels:0"
DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:0:0"
SamplesPerPixel="1"/><TiffData FirstZ="0" IFD="0" PlaneCount="1"><UUID FileName="a.ome.tiff">urn:uuid:a</UUID></TiffData>
<TiffData FirstZ="1" IFD="0" PlaneCount="1"><UUID FileName="b.ome.tiff">urn:uuid:b</UUID></TiffData></Pixels></Image></OME>"#;

/// A document that describes the image `one`.
const DESCRIPTION: &str = r#"<NBO:OME xmlns:NBO="http://www.NamespaceTest.org/Schemas/NBO/2020-11">
<NBO:Image ID="Image:1" Name="one.ome.tiff" AcquisitionDate="2024-03-14"/></NBO:OME>"#;

/// Names that are no Unicode, and that end a line, of files of one content.
const LATIN: &[u8] = b"odd/latin1-\xe9.ome.tiff";
const LINES: &[u8] = b"odd/two\nlines\\.ome.tiff";
/// All that is proven of a new [`Archive`].
const PROVEN: [&[u8]; 10] = [
    b"pair/a.ome.tiff",
    b"pair/b.ome.tiff",
    b"one.ome.tiff",
    b"same/x.ome.tiff",
    b"same/x.tif",
    b"set/a.ome.tiff",
    b"set/b.ome.tiff",
    b"set/set.companion.ome",
    LATIN,
    LINES,
];

struct Archive {
    dir: TempDir,
}

impl Archive {
    fn new() -> Self {
        // The state has whole paths, behind all links.
        let archive = Self { dir: TempDir::new_in(std::env::temp_dir().canonicalize().unwrap()).unwrap() };
        for (n, path) in PROVEN.into_iter().filter(|path| !path.ends_with(b".ome")).enumerate() {
            let path = archive.source(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let odd = path.parent().unwrap().ends_with("odd");
            // Those of odd names have one content, the others each its own.
            let size = if odd { [1, 1, 1, 9, 9] } else { [1, 1, 1, 20, 30] };
            let mut tiff = Tiff::of(Sample::U16, size).bytes();
            tiff.extend(if odd { "odd".into() } else { format!("file {n}") }.into_bytes());
            fs::write(&path, tiff).unwrap();
        }
        fs::write(archive.source(b"set/set.companion.ome"), COMPANION).unwrap();
        fs::write(archive.source(b"text.tif"), "no image").unwrap();
        archive.migrate(&[]).ends_with(7);
        archive
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn source(&self, path: &[u8]) -> PathBuf {
        self.at("source").join(OsStr::from_bytes(path))
    }

    fn store(&self, path: &str) -> PathBuf {
        self.at("target").join(path)
    }

    fn migrate(&self, options: &[&str]) -> Outcome {
        let (source, target) = (text(&self.at("source")), text(&self.at("target")));
        fairzarr(["migrate", &source, &target, "--durability=none"].iter().chain(options))
    }

    /// Changes the state behind the program's back.
    fn edit(&self, statement: &str) {
        let state = rusqlite::Connection::open(self.store("fairzarr-migration.sqlite")).unwrap();
        assert!(state.execute(statement, []).unwrap() > 0, "{statement}");
    }

    /// The files that are named, below the source, as `sha256sum` reads the lines.
    fn deletable(&self, options: &[&str]) -> BTreeSet<Vec<u8>> {
        let bag = self.at("bag");
        fairzarr(
            ["migrate", "deletable", &text(&self.at("target")), "--json", "--bag", &text(&bag)]
                .iter()
                .chain(options),
        )
        .done();
        let lines = fs::read(bag.join("data/originals.sha256")).unwrap();
        fs::remove_dir_all(&bag).unwrap();
        let prefix = [self.at("source").as_os_str().as_bytes(), b"/"].concat();
        let named = |line: &[u8]| {
            let (escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |line| (true, line));
            let name = line[66..].strip_prefix(prefix.as_slice()).unwrap().to_vec();
            if !escaped {
                return name;
            }
            // These names have no letter `n` after a backslash of their own.
            String::from_utf8(name).unwrap().replace("\\n", "\n").replace(r"\\", "\\").into_bytes()
        };
        lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(named).collect()
    }
}

/// The same files, links and times.
fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

fn replace(from: &Path, to: &Path) {
    if to.is_dir() {
        fs::remove_dir_all(to).unwrap();
    }
    copy(from, to);
}

/// What may happen, and which files it is about.
type Case = (&'static str, fn(&Archive), &'static [&'static [u8]]);

const ONE: &[&[u8]] = &[b"one.ome.tiff"];
const X: &[&[u8]] = &[b"same/x.ome.tiff"];
const BOTH: &[&[u8]] = &[b"one.ome.tiff", b"same/x.ome.tiff"];
const PAIR: &[&[u8]] = &[b"pair/a.ome.tiff", b"pair/b.ome.tiff"];
const SET: &[&[u8]] = &[b"set/a.ome.tiff", b"set/b.ome.tiff", b"set/set.companion.ome"];
const ODD: &[&[u8]] = &[LATIN, LINES];

const CASES: &[Case] = &[
    ("nothing", |_| {}, &[]),
    // The sources.
    ("a file was renamed", |a| fs::rename(a.source(ONE[0]), a.source(b"other.ome.tiff")).unwrap(), ONE),
    ("a file was removed", |a| fs::remove_file(a.source(ONE[0])).unwrap(), ONE),
    (
        "a file was touched",
        |a| fs::write(a.source(ONE[0]), fs::read(a.source(ONE[0])).unwrap()).unwrap(),
        &[],
    ),
    (
        "a file has another content of the same size and time",
        |a| {
            let path = a.source(ONE[0]);
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            let mut bytes = fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(&path, bytes).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        },
        ONE,
    ),
    ("a file was cut off", |a| fs::write(a.source(ONE[0]), fs::read(a.source(X[0])).unwrap()).unwrap(), ONE),
    (
        "a file became a link to the same content",
        |a| {
            fs::rename(a.source(ONE[0]), a.at("elsewhere")).unwrap();
            symlink(a.at("elsewhere"), a.source(ONE[0])).unwrap();
        },
        ONE,
    ),
    (
        "a file became a link to another file that is proven",
        |a| {
            fs::remove_file(a.source(LATIN)).unwrap();
            symlink(a.source(LINES), a.source(LATIN)).unwrap();
        },
        &[LATIN],
    ),
    (
        "a folder became a link",
        |a| {
            fs::rename(a.source(b"pair"), a.at("moved")).unwrap();
            symlink(a.at("moved"), a.source(b"pair")).unwrap();
        },
        PAIR,
    ),
    (
        "a file became a folder",
        |a| {
            fs::remove_file(a.source(ONE[0])).unwrap();
            fs::create_dir(a.source(ONE[0])).unwrap();
        },
        ONE,
    ),
    ("a file of an odd name changed", |a| fs::write(a.source(LATIN), "II*\0").unwrap(), &[LATIN]),
    ("a file of a name with two lines is gone", |a| fs::remove_file(a.source(LINES)).unwrap(), &[LINES]),
    ("two files exchanged their names", |a| exchange(&a.source(ONE[0]), &a.source(X[0])), BOTH),
    ("a document came that describes it", |a| fs::write(a.source(b"one.xml"), DESCRIPTION).unwrap(), ONE),
    (
        "a document came that describes something else",
        |a| fs::write(a.source(b"two.xml"), "<a/>").unwrap(),
        &[],
    ),
    (
        "a companion came that makes a set of two files",
        |a| fs::write(a.source(b"pair/pair.companion.ome"), COMPANION).unwrap(),
        PAIR,
    ),
    (
        "the companion of a set was changed",
        |a| fs::write(a.source(SET[2]), COMPANION.replace("Name=\"set\"", "Name=\"new\"")).unwrap(),
        &[b"set/set.companion.ome"],
    ),
    // The stores.
    ("a store is gone", |a| fs::remove_dir_all(a.store("one.ome.zarr")).unwrap(), ONE),
    ("a store was moved", |a| fs::rename(a.store("one.ome.zarr"), a.store("two.ome.zarr")).unwrap(), ONE),
    ("a store of a set is gone", |a| fs::remove_dir_all(a.store("set/set.ome.zarr")).unwrap(), SET),
    (
        "a store lacks its manifest",
        |a| fs::remove_file(a.store("one.ome.zarr/OME/manifest.json")).unwrap(),
        ONE,
    ),
    ("a store lacks its root", |a| fs::remove_file(a.store("one.ome.zarr/zarr.json")).unwrap(), ONE),
    ("a chunk was damaged", |a| damage(&a.store("one.ome.zarr/0")), ONE),
    (
        "two stores were exchanged",
        |a| exchange(&a.store("one.ome.zarr"), &a.store("same/x.ome.tiff.ome.zarr")),
        BOTH,
    ),
    (
        "a store is that of another source",
        |a| replace(&a.store("one.ome.zarr"), &a.store("same/x.ome.tiff.ome.zarr")),
        X,
    ),
    (
        "a store is a file",
        |a| {
            fs::remove_dir_all(a.store("one.ome.zarr")).unwrap();
            fs::write(a.store("one.ome.zarr"), "").unwrap();
        },
        ONE,
    ),
    (
        "a store was converted again with other options",
        |a| {
            let words = ["--overwrite", "--codec", "none"];
            crate::support::convert(&a.source(ONE[0]), &a.store("one.ome.zarr"), &words).done();
        },
        ONE,
    ),
    (
        "a store was given a microscope",
        |a| {
            fs::write(a.at("microscope.xml"), DESCRIPTION).unwrap();
            fairzarr(["embed", &text(&a.store("one.ome.zarr")), "--nbo", &text(&a.at("microscope.xml"))])
                .done();
        },
        &[],
    ),
    // The state.
    ("the state calls a failure done", |a| a.edit("UPDATE datasets SET state = 'done', class = NULL"), &[]),
    (
        "the state has lost a checksum",
        |a| a.edit("UPDATE files SET sha256 = NULL WHERE path LIKE 'one%'"),
        ONE,
    ),
    (
        "the state has the checksum of another file",
        |a| {
            fs::write(a.source(ONE[0]), fs::read(a.source(X[0])).unwrap()).unwrap();
            a.edit("UPDATE files SET sha256 = (SELECT sha256 FROM files WHERE path = 'same/x.ome.tiff') WHERE path = 'one.ome.tiff'");
        },
        ONE,
    ),
    (
        "the state names the store of another file",
        |a| {
            a.edit("UPDATE datasets SET target = 'none' WHERE target = 'same/x.ome.tiff.ome.zarr'");
            a.edit(
                "UPDATE datasets SET target = 'same/x.ome.tiff.ome.zarr',
                 digest = (SELECT digest FROM datasets WHERE target = 'none') WHERE target = 'one.ome.zarr'",
            );
        },
        BOTH,
    ),
    (
        "the state says of a file that it belongs to a dataset that failed too",
        |a| {
            a.edit(
                "INSERT INTO members SELECT d.id, f.id, 'file' FROM datasets d, files f
                 WHERE d.target LIKE 'text%' AND f.path = 'one.ome.tiff'",
            );
        },
        ONE,
    ),
    // Another run.
    (
        "another source found the files, and failed with them",
        |a| {
            let (source, target) = (text(&a.source(b"pair")), text(&a.at("target")));
            let options = ["--durability=none", "--policy=bioimage-archive", "--policy-level=refuse"];
            fairzarr(["migrate", &source, &target].iter().chain(&options)).ends_with(7);
        },
        PAIR,
    ),
    (
        "what was lost was converted again",
        |a| {
            fs::remove_dir_all(a.store("odd")).unwrap();
            fs::remove_file(a.store("fairzarr-migration.sqlite")).unwrap();
            a.migrate(&["--exclude", "text.tif"]).done();
        },
        &[],
    ),
    ("the stores of odd names are gone", |a| fs::remove_dir_all(a.store("odd")).unwrap(), ODD),
];

fn exchange(one: &Path, other: &Path) {
    let third = one.with_extension("third");
    fs::rename(one, &third).unwrap();
    fs::rename(other, one).unwrap();
    fs::rename(third, other).unwrap();
}

/// Changes a byte of the first chunk below an array.
fn damage(array: &Path) {
    let is_chunk = |name: &&String| Path::new(name).extension().is_none_or(|ending| ending != "json");
    let path = array.join(tree(array).keys().find(is_chunk).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(path, bytes).unwrap();
}

#[test]
fn whatever_happens_the_files_that_it_is_about_are_kept_and_no_others() {
    let archive = Archive::new();
    let pristine = archive.at("pristine");
    fs::create_dir(&pristine).unwrap();
    for name in ["source", "target"] {
        copy(&archive.at(name), &pristine.join(name));
    }
    let mut wrong = Vec::new();
    for (what, happen, about) in CASES {
        for name in ["source", "target"] {
            replace(&pristine.join(name), &archive.at(name));
        }
        happen(&archive);
        let named = archive.deletable(&[]);
        let expected: BTreeSet<Vec<u8>> =
            PROVEN.iter().filter(|path| !about.contains(path)).map(|path| path.to_vec()).collect();
        let show = |of: BTreeSet<&Vec<u8>>| {
            of.into_iter().map(|path| path.escape_ascii().to_string()).collect::<Vec<_>>()
        };
        let more = show(named.difference(&expected).collect());
        let fewer = show(expected.difference(&named).collect());
        if named != expected {
            wrong.push(format!("{what}: named though not proven {more:?}, proven and not named {fewer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sha256sum_agrees_with_the_list() {
    let archive = Archive::new();
    let lines = std::process::Command::new(env!("CARGO_BIN_EXE_fairzarr"))
        .args(["migrate", "deletable"])
        .arg(archive.at("target"))
        .output()
        .unwrap();
    fs::write(archive.at("list"), &lines.stdout).unwrap();
    let checked = std::process::Command::new("sha256sum")
        .args(["--check", "--strict"])
        .arg(archive.at("list"))
        .output();
    // Where there is none, nobody can ask it.
    if let Ok(checked) = checked {
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
        assert_eq!(checked.stdout.split(|byte| *byte == b'\n').count() - 1, PROVEN.len());
    }
}

#[test]
fn those_who_want_everything_carried_get_no_file_of_which_something_is_left_out() {
    let archive = Archive::new();
    let mut tiff = Tiff::of(Sample::U16, [1, 1, 1, 20, 30]);
    tiff.reduced = vec![(10, 15)];
    tiff.write(&archive.source(b"reduced.ome.tiff"));
    archive.migrate(&["--exclude", "text.tif"]).done();
    let name = b"reduced.ome.tiff".to_vec();
    assert!(archive.deletable(&[]).contains(&name));
    let complete = archive.deletable(&["--complete"]);
    assert!(!complete.contains(&name) && complete.len() == PROVEN.len());
}

/// A migration takes datasets whole. A part can still come to the place of a store, and its state can be made to fit.
#[test]
fn an_original_of_which_a_store_holds_a_part_is_never_named() {
    let archive = Archive::new();
    let (series, plate_file) = ("part/series.ome.tiff", "part/plate.ome.tiff");
    fs::create_dir_all(archive.at("source/part")).unwrap();
    let picture = Picture { sample: Sample::U8, size: [3, 1, 1, 20, 30], interleaved: 1 };
    Tiff::many(vec![picture.clone(), picture]).write(&archive.source(series.as_bytes()));
    plate(&archive.at("source/part"), [1; 6]);
    archive.migrate(&["--exclude", "text.tif"]).done();
    let whole = archive.at("whole");
    copy(&archive.at("target"), &whole);
    let is_named = |file: &str| archive.deletable(&[]).contains(file.as_bytes());
    assert!(is_named(series) && is_named(plate_file));
    for (file, options) in [
        (series, ["--series", "0"]),
        (series, ["--timepoints", "0-1"]),
        (plate_file, ["--wells", "A1"]),
        (plate_file, ["--fields", "0"]),
    ] {
        let store = archive.store(&format!("{file}.ome.zarr"));
        let store =
            if store.exists() { store } else { archive.store(&file.replace(".ome.tiff", ".ome.zarr")) };
        fs::remove_dir_all(&store).unwrap();
        convert(&archive.source(file.as_bytes()), &store, &options).done();
        assert!(!is_named(file), "{options:?}");
        // Also where the state has it as the one that was proved.
        let root: serde_json::Value =
            serde_json::from_slice(&fs::read(store.join("zarr.json")).unwrap()).unwrap();
        let digest = root["attributes"]["fairzarr:manifest"]["sha256"].as_str().unwrap();
        archive.edit(&format!(
            "UPDATE datasets SET digest = x'{digest}' WHERE target LIKE '{}%'",
            file.replace(".ome.tiff", ".")
        ));
        assert!(!is_named(file), "{options:?}, known by its digest");
        // Nor after a migration that finds it there, unless that made it whole.
        archive.migrate(&["--exclude", "text.tif"]);
        let root: serde_json::Value =
            serde_json::from_slice(&fs::read(store.join("zarr.json")).unwrap()).unwrap();
        let conversion = &root["attributes"]["fairzarr:conversion"];
        let is_part = conversion.get("series").or_else(|| conversion.get("timepoints")).is_some();
        assert!(!is_part || !is_named(file), "{options:?}, migrated again");
        replace(&whole, &archive.at("target"));
    }
}
