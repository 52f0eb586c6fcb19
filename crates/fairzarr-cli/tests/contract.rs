//! The contract with programs: every command, in success and in failure, prints lines of JSON of types that have a schema, and
//! ends with the exit code that docs/exit-codes.md gives for what happened.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Commands in this order, with the types of their lines and their exit codes. `{x}` is a source of the golden stores.
const COMMANDS: &[(&[&str], &[&str], i32)] = &[
    (&["convert", "{single}", "a.zarr", "--jobs", "1"], &["conversion"], 0),
    (&["convert", "{several}", "b.zarr", "--chunk", "source"], &["conversion"], 0),
    (&["convert", "{single}", "n.zarr", "--dry-run"], &["plan"], 0),
    (&["convert", "missing.tiff", "n.zarr"], &["error"], 3),
    (&["convert", "{single}"], &["error"], 2),
    (&["convert", "{single}", "n.zarr", "--codec", "lzma"], &["error"], 2),
    (&["convert", "{single}", "a.zarr"], &["error"], 9),
    (&["convert", "{single}", "a.zarr", "--resume"], &["error"], 9),
    (&["convert", "{single}", "a.zarr", "--skip-existing"], &["conversion"], 0),
    (&["convert", "{several}", "a.zarr", "--skip-existing"], &["error"], 8),
    (&["convert", "{single}", "a.zarr", "--skip-existing", "--chunk", "16"], &["error"], 8),
    (&["convert", "{single}", "x.ozx"], &["conversion"], 0),
    (&["convert", "{single}", "x.ozx", "--skip-existing"], &["conversion"], 0),
    (
        &["convert", "{single}", "n.zarr", "--policy", "bioimage-archive", "--policy-level", "refuse"],
        &["error"],
        13,
    ),
    (&["convert", "{single}", "folder"], &["error"], 8),
    (&["convert", "{single}", "s3://b/x.zarr", "--store-option", "aws_endpont=x"], &["error"], 2),
    (&["run", "{single}", "s.zarr", "--task", "1/2"], &["error"], 12),
    (&["plan", "{single}", "s.zarr", "--chunk", "16"], &["plan"], 0),
    (&["plan", "{single}", "t.zarr", "--emit", "slurm"], &["document"], 0),
    (&["convert", "{single}", "s.zarr"], &["error"], 12),
    (&["run", "{single}", "s.zarr", "--task", "2/2"], &["task"], 0),
    (&["commit", "{single}", "s.zarr"], &["error"], 12),
    (&["run", "{single}", "s.zarr", "--task", "1/2"], &["task"], 0),
    (&["commit", "{single}", "s.zarr"], &["conversion"], 0),
    (&["commit", "{single}", "s.zarr"], &["conversion"], 0),
    (&["run", "{single}", "s.zarr", "--task", "1/2"], &["task"], 0),
    (&["copy", "a.zarr", "c.zarr"], &["copy"], 0),
    (&["copy", "a.zarr", "c.zarr"], &["error"], 8),
    (&["copy", "missing.zarr", "d.zarr"], &["error"], 3),
    (&["export", "a.zarr", "a.ome.tiff"], &["export"], 0),
    (&["export", "a.zarr", "a.ome.tiff"], &["error"], 8),
    (&["inspect", "{single}"], &["inspection"], 0),
    (&["inspect", "a.zarr"], &["inspection"], 0),
    (&["inspect", "a.zarr", "--metadata"], &["metadata"], 0),
    (&["inspect", "missing"], &["error"], 3),
    (&["validate", "a.zarr"], &["validation"], 0),
    (&["validate", "folder"], &["error"], 3),
    (&["conformance", "zarr", "a.zarr"], &["conformance"], 0),
    (&["verify", "{single}", "a.zarr", "--certificate", "a.json"], &["verification"], 0),
    (&["verify", "a.zarr"], &["verification"], 0),
    (&["verify", "{single}", "b.zarr", "--certificate", "b.json"], &["verification"], 1),
    (&["verify", "{single}", "a.zarr", "--certificate", "a.json"], &["error"], 8),
    (&["verify", "{single}", "missing.zarr", "--certificate", "m.json"], &["error"], 3),
    (&["extract", "a.zarr", "--as", "ome-xml"], &["document"], 0),
    (&["extract", "a.zarr", "--as", "original", "--output", "o.xml"], &["document"], 0),
    (&["extract", "missing.zarr", "--as", "json"], &["error"], 3),
    (&["embed", "a.zarr", "--nbo", "{nbo}"], &["embedding"], 0),
    (&["embed", "a.zarr", "--nbo", "missing.xml"], &["error"], 3),
    (&["check", "{nbo}"], &["check"], 0),
    (&["check", "{single}", "--tier", "2", "--extension", "basic"], &["check"], 1),
    (&["check", "missing.xml"], &["error"], 3),
    (&["qc", "a.zarr"], &["qc"], 0),
    (&["qc", "a.zarr", "--require", "OpticalCalibration within 1 days"], &["qc"], 1),
    (&["qc", "a.zarr", "--require", "nonsense"], &["error"], 2),
    (&["catalog", "a.zarr", "--to", "c.sqlite"], &["catalog"], 0),
    (&["catalog", "missing", "--to", "d.sqlite"], &["error"], 3),
    (&["extract", "a.zarr", "--as", "summary"], &["document"], 0),
    (&["methods", "a.zarr"], &["document"], 0),
    (&["methods", "missing"], &["error"], 3),
    (&["nbo", "fields", "--tier", "1"], &["field", "fields"], 0),
    (&["nbo", "fields", "--tier", "9"], &["error"], 2),
    (&["upgrade", "c.zarr", "--to", "0.6"], &["upgrade"], 0),
    (&["upgrade", "missing.zarr", "--to", "0.6"], &["error"], 3),
    (&["migrate", "archive", "m", "--dry-run"], &["dataset", "status"], 0),
    (&["migrate", "archive", "m"], &["found", "dataset", "summary"], 7),
    (&["migrate", "status", "m"], &["status"], 7),
    (&["migrate", "report", "m"], &["dataset", "report"], 0),
    (&["migrate", "report", "m", "--paths"], &["path", "report"], 0),
    (&["migrate", "deletable", "m"], &["original", "kept", "deletable"], 0),
    (&["migrate", "verify", "m"], &["verified", "recheck"], 0),
    (&["migrate", "status", "folder"], &["error"], 3),
    (&["completions", "bash"], &["document"], 0),
    (&["completions", "nonsense"], &["error"], 2),
    (&["man"], &["document"], 0),
    (&["man", "--output", "pages"], &["document"], 0),
    (&["nonsense"], &["error"], 2),
    (&[], &["error"], 2),
];

#[test]
fn every_line_of_every_command_is_of_a_type_with_a_schema() {
    let schemas = schemas();
    let bench = Bench::new();
    let mut seen = BTreeSet::new();
    for (words, types, code) in COMMANDS {
        let (found, lines, told) = bench.run(words, &["--json"]);
        let said = format!("fairzarr {}: exit code {found}\n{lines:#?}\n{told}", words.join(" "));
        assert_eq!(found, *code, "{said}");
        let (outcome, before) = lines.split_last().unwrap_or_else(|| panic!("no outcome: {said}"));
        for line in &lines {
            let kind = line["type"].as_str().expect(&said);
            assert!(types.contains(&kind), "{kind} is not expected: {said}");
            judge(&schemas, line, &said);
            seen.insert(kind.to_owned());
        }
        assert_eq!(outcome["type"], *types.last().unwrap(), "{said}");
        assert_eq!(outcome["code"], *code, "{said}");
        assert!(before.iter().all(|line| line.get("code").is_none()), "two outcomes: {said}");
    }
    for (file, result) in [("a.json", "equal"), ("b.json", "different")] {
        let certificate: Value = serde_json::from_slice(&fs::read(bench.path(file)).unwrap()).unwrap();
        judge(&schemas, &certificate, file);
        assert_eq!(certificate["result"], result);
        seen.insert("certificate".into());
    }
    assert!(!bench.path("m.json").exists(), "a verification that failed left a certificate");
    // Told on standard error while something takes its time.
    seen.insert("progress".into());
    let unseen: Vec<&String> = schemas.keys().filter(|kind| !seen.contains(*kind)).collect();
    assert!(unseen.is_empty(), "no command printed lines of {unseen:?}");
}

#[test]
fn json_and_text_end_with_the_same_exit_code() {
    let bench = Bench::new();
    bench.run(&["convert", "{single}", "a.zarr"], &[]);
    for words in [
        &["convert", "missing.tiff", "n.zarr"][..],
        &["convert", "{single}", "a.zarr"],
        &["verify", "{several}", "a.zarr"],
        &["check", "{single}", "--tier", "2"],
        &["nonsense"],
    ] {
        assert_eq!(bench.run(words, &[]).0, bench.run(words, &["--json"]).0, "{words:?}");
    }
}

#[test]
fn quiet_says_nothing_and_a_log_has_it_all() {
    let bench = Bench::new();
    let options = ["--log-file", "log.txt", "-q"];
    let output = bench.command(&["convert", "{single}", "a.zarr"], &options).output().unwrap();
    assert_eq!((output.status.code(), output.stdout, output.stderr), (Some(0), vec![], vec![]));
    let failed = bench.command(&["convert", "missing.tiff", "b.zarr"], &options).output().unwrap();
    assert!(String::from_utf8(failed.stderr).unwrap().contains("missing.tiff"));
    let secret = ["--log-file", "log.txt", "--store-option", "aws_secret_access_key=hush"];
    bench.command(&["inspect", "a.zarr"], &secret).output().unwrap();
    let log = fs::read_to_string(bench.path("log.txt")).unwrap();
    assert!(
        log.contains("a.zarr: 1 image") && log.contains("missing.tiff") && !log.contains("hush"),
        "{log}"
    );
    assert!(log.lines().all(|line| line.as_bytes()[19] == b'Z'), "{log}");
    let told = bench.command(&["inspect", "a.zarr"], &["-v"]).output().unwrap();
    assert!(String::from_utf8(told.stderr).unwrap().contains("exit code 0 (done)"));
}

/// The schema of each type, and the members that it knows.
fn schemas() -> BTreeMap<String, (jsonschema::Validator, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas/program");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = files.map(|path| {
        let schema: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let kind = path.file_name().unwrap().to_str().unwrap().trim_end_matches(".schema.json").to_owned();
        (kind, (jsonschema::validator_for(&schema).unwrap(), schema))
    });
    read.collect()
}

#[track_caller]
fn judge(schemas: &BTreeMap<String, (jsonschema::Validator, Value)>, line: &Value, said: &str) {
    let kind = line["type"].as_str().unwrap();
    let (validator, schema) = schemas.get(kind).unwrap_or_else(|| panic!("{kind} has no schema: {said}"));
    let errors: Vec<String> =
        validator.iter_errors(line).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}: {said}");
    // Readers are told of every member.
    for name in line.as_object().unwrap().keys() {
        assert!(schema["properties"].get(name).is_some(), "{kind}.{name} is not in the schema: {said}");
    }
}

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let archive = folder.path().join("archive");
        fs::create_dir(&archive).unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        fs::write(folder.path().join("folder/precious"), "x").unwrap();
        fs::copy(source("single.ome.tiff"), archive.join("one.ome.tiff")).unwrap();
        fs::write(archive.join("readme.txt"), "x").unwrap();
        fs::write(archive.join("broken.ome.tiff"), "II*\0").unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, words: &[&str], options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fairzarr"));
        for word in words {
            command.arg(match *word {
                "{single}" => source("single.ome.tiff"),
                "{several}" => source("several.ome.tiff"),
                "{nbo}" => source("microscope-nbo.xml"),
                other => other.into(),
            });
        }
        command.args(options).current_dir(self.0.path());
        command
    }

    /// Exit code, lines of JSON on standard output, and what people were told.
    fn run(&self, words: &[&str], options: &[&str]) -> (i32, Vec<Value>, String) {
        let output = self.command(words, options).output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let lines = if options.contains(&"--json") {
            let parse = |line: &str| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{words:?}: {error}: {line}"))
            };
            out.lines().map(parse).collect()
        } else {
            Vec::new()
        };
        (output.status.code().unwrap(), lines, String::from_utf8(output.stderr).unwrap())
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec-tests/data/golden/sources").join(name)
}
