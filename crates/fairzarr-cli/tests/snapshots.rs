//! What users see, word for word: help, reports, JSON and messages. What is read from stores is in `golden.rs`.
//!
//! A snapshot that is to change is recorded anew with `INSTA_UPDATE=always cargo test -p PROGRAM --test snapshots`, and its
//! difference is part of the commit. Times and speeds are masked.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use insta::assert_snapshot;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const COMMANDS: [&str; 15] = [
    "convert", "plan", "run", "commit", "copy", "export", "inspect", "validate", "verify", "extract",
    "check", "qc", "embed", "methods", "nbo",
];

#[test]
fn help() {
    let bench = Bench::new();
    assert_snapshot!("help", bench.say(&["--help"]));
    for command in COMMANDS {
        assert_snapshot!(format!("help-{command}"), bench.say(&[command, "--help"]));
    }
    assert_snapshot!("help-nbo-fields", bench.say(&["nbo", "fields", "--help"]));
}

#[test]
fn conversions() {
    let bench = Bench::new();
    let single = source("single.ome.tiff");
    let several = source("several.ome.tiff");
    assert_snapshot!(
        "convert",
        bench.tell(&[
            &["convert", &single, "a.zarr", "--jobs", "1"],
            &["convert", &several, "b.zarr", "--jobs", "1"],
            &["convert", &several, "c.zarr", "--jobs", "1", "--json", "--chunk", "source"],
            &["convert", &single, "a.zarr"],
            &["convert", &single, "a.zarr", "--resume"],
        ])
    );
    assert_snapshot!(
        "dry-run",
        bench.tell(&[
            &["convert", &single, "n.zarr", "--jobs", "1", "--dry-run", "--chunk", "16", "--shard", "32"],
            &["convert", &several, "n.zarr", "--jobs", "1", "--dry-run", "--chunk", "source"],
            &["convert", &source("levels.ome.tiff"), "n.zarr", "--jobs", "1", "--dry-run", "--json"],
        ])
    );
    let nbo = source("microscope-nbo.xml");
    assert_snapshot!(
        "split",
        bench.tell(&[
            &["run", &single, "s.zarr", "--task", "1/2"],
            &["plan", &single, "s.zarr", "--jobs", "1", "--chunk", "16", "--nbo", &nbo],
            &["run", &single, "s.zarr", "--jobs", "1", "--task", "2/2"],
            &["commit", &single, "s.zarr"],
            &["run", &single, "s.zarr", "--jobs", "1", "--task", "1/2", "--chunk", "32"],
            &["run", &single, "s.zarr", "--jobs", "1", "--task", "1/2"],
            &["commit", &single, "s.zarr", "--json", "--jobs", "1"],
        ])
    );
}

#[test]
fn stores() {
    let bench = Bench::new();
    let single = source("single.ome.tiff");
    let nbo = source("microscope-nbo.xml");
    bench.say(&["convert", &single, "a.zarr", "--chunk", "32"]);
    assert_snapshot!(
        "copy",
        bench.tell(&[
            &["copy", "a.zarr", "b.zarr"],
            &["copy", "a.zarr", "c.ozx", "--json"],
            &["copy", "a.zarr", "b.zarr"],
            &["copy", "a.zarr", "b.zarr", "--resume", "--verify", "size"],
        ])
    );
    assert_snapshot!(
        "export",
        bench.tell(&[
            &["export", "a.zarr", "a.ome.tiff"],
            &[
                "export",
                "a.zarr",
                "a.ome.tiff",
                "--overwrite",
                "--compression",
                "none",
                "--no-pyramid",
                "--json"
            ],
            &["export", "a.zarr", "a.ome.tiff"],
            &["inspect", "a.ome.tiff"],
            &["verify", "a.ome.tiff", "a.zarr"],
        ])
    );
    assert_snapshot!(
        "inspect",
        bench.tell(&[
            &["inspect", &single],
            &["inspect", "a.zarr"],
            &["inspect", "c.ozx"],
            &["inspect", &source("several.ome.tiff"), "--json"],
        ])
    );
    assert_snapshot!(
        "provenance",
        bench.tell(&[
            &["check", &nbo],
            &["check", &single, "--tier", "2", "--extension", "basic", "--level", "should"],
            &["check", &nbo, "--json"],
            &["methods", &nbo, "--as", "markdown"],
            &["embed", "a.zarr", "--nbo", &nbo],
            &["methods", "a.zarr"],
            &["qc", "a.zarr"],
            &["qc", "a.zarr", "--require", "OpticalCalibration within 90 days"],
            &["embed", "a.zarr", "--remove", "--json"],
            &["embed", "a.zarr", "--remove"],
        ])
    );
}

/// Materials and Methods of every example, and of documents as others write them.
#[test]
fn methods() {
    let bench = Bench::new();
    // Copied, so that they have the same names on every machine.
    let document = |name: &str| {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
        let name = from.file_name().unwrap().to_str().unwrap().to_owned();
        std::fs::copy(&from, bench.folder.path().join(&name)).unwrap();
        name
    };
    let nbo = |name: &str| document(&format!("crates/nbo/tests/data/{name}"));
    assert_snapshot!("methods-cells", bench.say(&["methods", &document("examples/data/cells.ome.tiff")]));
    for (snapshot, names) in [
        ("widefield", &["handmade-widefield-psf-xsdvalid.xml"][..]),
        ("confocal", &["confocal-live.xml"]),
        ("micro-meta", &["abif_axiovert1_.json", "derived_settings_axiovert1.json"]),
        ("micro-meta-microscope", &["abif_axiovert1_.json"]),
        ("methodsj2", &["methodsj2.csv"]),
        ("microscope-metrics", &["psf-beads.yaml"]),
        ("imaging-path", &["imaging_path.insert.json"]),
        ("ome-units", &["ome/instrument-units-alternate.ome.xml"]),
        ("ome-channels", &["ome/multi-channel.ome.xml"]),
    ] {
        let documents: Vec<String> = names.iter().map(|name| nbo(name)).collect();
        let mut words = vec!["methods"];
        words.extend(documents.iter().map(String::as_str));
        assert_snapshot!(format!("methods-{snapshot}"), bench.say(&words));
    }
    assert_snapshot!(
        "methods-json",
        bench.say(&["methods", &nbo("ome/multi-channel.ome.xml"), "--as", "json"])
    );
}

#[test]
fn differences() {
    let bench = Bench::new();
    let single = source("single.ome.tiff");
    bench.say(&["convert", &single, "a.zarr", "--chunk", "32", "--codec", "none"]);
    let chunk = bench.folder.path().join("a.zarr/0/c/1/0/2/0/0");
    let mut bytes = std::fs::read(&chunk).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&chunk, bytes).unwrap();
    std::fs::remove_file(bench.folder.path().join("a.zarr/0/c/0/0/0/1/1")).unwrap();
    std::fs::write(bench.folder.path().join("a.zarr/OME/sources/0.ome.xml"), "<OME/>").unwrap();
    assert_snapshot!(
        "verify-damaged",
        bench.tell(&[
            &["verify", &single, "a.zarr"],
            &["verify", "a.zarr"],
            &["verify", "a.zarr", "--json"],
            &["validate", "a.zarr", "--json"],
        ])
    );
}

#[test]
fn mistakes() {
    let bench = Bench::new();
    let single = source("single.ome.tiff");
    assert_snapshot!(
        "mistakes",
        bench.tell(&[
            &[],
            &["convert", &single],
            &["convert", &single, "n.zarr", "--ngff", "0.3"],
            &["convert", &single, "n.zarr", "--chunk", "0"],
            &["convert", &single, "n.zarr", "--codec", "lzma"],
            &["convert", &single, "n.zarr", "--codec", "zlib-6"],
            &["convert", &single, "n.zarr", "--overwrite", "--resume"],
            &["convert", &single, "n.zarr", "--no-decode"],
            &["convert", &single, "n.zarr", "--nbo", "missing.json"],
            &["convert", &single, "n.zarr", "--policy", "nonsense"],
            &["convert", "missing.tiff", "n.zarr"],
            &["convert", &source("plate-nbo.xml"), "n.zarr"],
            &["commit", &single, "n.zarr"],
            &["copy", "missing.zarr", "n.zarr"],
            &["embed", "missing.zarr", "--nbo", &source("plate-nbo.xml")],
            &["export", "missing.zarr", "n.tiff"],
            &["extract", "missing.zarr", "--as", "json"],
            &["inspect", "missing"],
            &["qc", "missing.zarr", "--require", "nonsense"],
            &["validate", &single],
            &["verify", &single, "missing.zarr"],
        ])
    );
}

/// A folder to work in.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// Runs commands one after another, and tells what they say.
    fn tell(&self, commands: &[&[&str]]) -> String {
        let said = commands.iter().map(|words| self.say(words));
        said.collect::<Vec<_>>().join("\n")
    }

    /// A command, what it says, and its exit code.
    fn say(&self, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_fairzarr"))
            .args(words)
            .current_dir(self.folder.path())
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|bytes| masked(&String::from_utf8(bytes).unwrap()));
        let mut said = format!("$ fairzarr {}\n", without_places(&words.join(" ")));
        for part in [err, out].iter().filter(|part| !part.is_empty()) {
            writeln!(said, "{}", part.trim_end()).unwrap();
        }
        writeln!(said, "exit code {}", output.status.code().unwrap()).unwrap();
        said
    }
}

/// The text without what differs from run to run and from place to place.
fn masked(text: &str) -> String {
    let json = serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let text = json.map_or_else(
        || text.lines().map(without_times).collect::<Vec<_>>().join("\n"),
        |mut json| {
            mask(&mut json);
            format!("{json:#}")
        },
    );
    without_places(&text)
}

fn without_places(text: &str) -> String {
    text.replace(&format!("{}/", sources().display()), "")
}

/// `0.12 s` and what follows it in a report is another one each time.
fn without_times(line: &str) -> String {
    let line = line.split(", limited by").next().unwrap_or_default();
    let mut words: Vec<&str> = line.split(' ').collect();
    for n in 1..words.len() {
        if words[n] == "s" && words[n - 1].parse::<f64>().is_ok() {
            words[n - 1] = "#";
        }
        if words[n] == "MB/s)" && words[n - 1].starts_with('(') {
            words[n - 1] = "(#";
        }
    }
    words.join(" ")
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let is_time = name == "seconds" || name == "time" || name == "stages";
                match value {
                    Value::Object(stages) if is_time => {
                        stages.values_mut().for_each(|stage| *stage = "#".into());
                    }
                    _ if is_time => *value = "#".into(),
                    _ => mask(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        _ => {}
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec-tests/data/golden/sources")
}

fn source(name: &str) -> String {
    sources().join(name).to_str().unwrap().to_owned()
}
