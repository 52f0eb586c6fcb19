//! Stores of every format and layout of our own, committed as they were made: what is read from them and what is written
//! again is compared with what was recorded. `spec-tests/data/golden/README.md` says how a format is changed on purpose.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A store, and how it was made.
struct Golden {
    name: String,
    source: String,
    options: Vec<String>,
    /// Commands after the conversion.
    then: Vec<Vec<String>>,
    /// Commands that read it.
    reads: Vec<Vec<String>>,
    /// Whether this program writes such stores. Those of earlier formats are only read.
    written: bool,
}

#[test]
fn golden_stores_are_written_again_byte_for_byte() {
    update_if_asked();
    let folder = tempfile::tempdir().unwrap();
    for golden in goldens().iter().filter(|golden| golden.written) {
        let target = folder.path().join(&golden.name);
        golden.make(&target);
        let (found, expected) = (masked(&target), masked(&golden.path()));
        let names = found.keys().chain(expected.keys());
        let different: Vec<&String> = names.filter(|name| found.get(*name) != expected.get(*name)).collect();
        assert!(different.is_empty(), "{}: other bytes in {different:?}. {HINT}", golden.name);
    }
}

#[test]
fn golden_stores_are_read_as_recorded() {
    update_if_asked();
    for golden in goldens() {
        let expected = fs::read_to_string(golden.transcript()).unwrap_or_default();
        let found = golden.read();
        let line = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
        let line = line.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
        assert!(
            found == expected,
            "{}: what is read differs in line {}: {:?} instead of {:?}. {HINT}",
            golden.name,
            line + 1,
            found.lines().nth(line),
            expected.lines().nth(line)
        );
    }
}

#[test]
fn golden_files_are_those_that_are_listed() {
    update_if_asked();
    let expected = fs::read_to_string(folder().join(SUMS)).unwrap_or_default();
    assert!(sums() == expected, "the files of the golden stores are not those of {SUMS}. {HINT}");
}

impl Golden {
    fn path(&self) -> PathBuf {
        folder().join("stores").join(&self.name)
    }

    fn transcript(&self) -> PathBuf {
        folder().join("read").join(format!("{}.txt", self.name))
    }

    /// A command line with the places that it is about.
    fn line(&self, words: &[String], store: &str) -> Vec<String> {
        let source = format!("sources/{}", self.source);
        words.iter().map(|word| word.replace("{store}", store).replace("{source}", &source)).collect()
    }

    fn make(&self, target: &Path) {
        let target = target.to_str().unwrap();
        let convert =
            ["convert", "{source}", "{store}", "--durability", "none", "--jobs", "1"].map(String::from);
        let convert = [&convert[..], &self.options].concat();
        for words in std::iter::once(&convert).chain(&self.then) {
            let (code, output) = run(&self.line(words, target));
            assert_eq!(code, Some(0), "{}: {output}", self.name);
        }
    }

    /// What the commands that read it say, one after another.
    fn read(&self) -> String {
        let store = format!("stores/{}", self.name);
        let mut text = String::new();
        for words in &self.reads {
            let line = self.line(words, &store);
            let (code, output) = run(&line);
            let code = code.unwrap();
            write!(text, "$ fairzarr {}\n{}\nexit code {code}\n\n", line.join(" "), output.trim_end())
                .unwrap();
        }
        text
    }
}

/// Exit code and both outputs.
fn run(words: &[String]) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_fairzarr")).args(words).current_dir(folder()).output().unwrap();
    let text = [output.stderr, output.stdout].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec-tests/data/golden")
}

fn list() -> Value {
    serde_json::from_slice(&fs::read(folder().join("stores.json")).unwrap()).unwrap()
}

fn goldens() -> Vec<Golden> {
    let list = list();
    let words = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let lines =
        |value: &Value| -> Vec<Vec<String>> { value.as_array().into_iter().flatten().map(words).collect() };
    let all = lines(&list["reads"]);
    let golden = |entry: &Value| Golden {
        name: entry["name"].as_str().unwrap().to_owned(),
        source: entry["source"].as_str().unwrap().to_owned(),
        options: words(&entry["options"]),
        then: lines(&entry["then"]),
        reads: [all.clone(), lines(&entry["reads"])].concat(),
        written: entry["written"].as_bool().unwrap_or(true),
    };
    list["stores"].as_array().unwrap().iter().map(golden).collect()
}

/// Files with their bytes, in which the version of the program that wrote them is masked, and what depends on it: digests of
/// documents that say it.
fn masked(store: &Path) -> BTreeMap<String, Vec<u8>> {
    let versions = [list()["made_by"].as_str().unwrap().to_owned(), env!("CARGO_PKG_VERSION").to_owned()];
    let mut files = files(store);
    for bytes in files.values_mut() {
        if let Ok(text) = std::str::from_utf8(bytes) {
            let text = versions.iter().fold(text.to_owned(), |text, version| {
                text.replace(&format!("\"{version}\""), "\"VERSION\"")
            });
            *bytes = text.into_bytes();
        }
    }
    if versions[0] != versions[1] {
        for (name, bytes) in &mut files {
            if name == "OME/manifest.json" || !name.contains('/') {
                digests_masked(bytes);
            }
        }
    }
    files
}

/// Replaces runs of 64 hexadecimal digits.
fn digests_masked(bytes: &mut [u8]) {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    for run in bytes.chunk_by_mut(|a, b| is_digit(a) && is_digit(b)) {
        if run.len() == 64 && run.iter().all(is_digit) {
            run.fill(b'-');
        }
    }
}

/// Every file at or below a place, by its path from there.
fn files(top: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![top.to_owned()];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// As `sha256sum` prints them.
fn sums() -> String {
    let mut lines = String::new();
    for part in ["sources", "stores"] {
        for (name, bytes) in files(&folder().join(part)) {
            let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(lines, "{digest}  {part}/{name}").unwrap();
        }
    }
    lines
}

/// With `UPDATE_GOLDEN=1`, makes the stores anew that differ, and records what is read.
fn update_if_asked() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        if std::env::var_os("UPDATE_GOLDEN").is_none() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        for golden in goldens() {
            let (target, store) = (folder.path().join(&golden.name), golden.path());
            if golden.written {
                golden.make(&target);
                if !store.exists() || masked(&target) != masked(&store) {
                    replace(&store, &target);
                }
            }
            fs::create_dir_all(golden.transcript().parent().unwrap()).unwrap();
            fs::write(golden.transcript(), golden.read()).unwrap();
        }
        fs::write(self::folder().join(SUMS), sums()).unwrap();
    });
}

fn replace(old: &Path, new: &Path) {
    let _ = fs::remove_dir_all(old);
    for (name, bytes) in files(new) {
        let path = if name.is_empty() { old.to_owned() } else { old.join(name) };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

const SUMS: &str = "SHA256SUMS";
const HINT: &str = "Stores that exist must go on being read and written so. If it is meant, see \
                    spec-tests/data/golden/README.md: UPDATE_GOLDEN=1 records it anew.";
