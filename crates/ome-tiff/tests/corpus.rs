//! Files of other software, compared with digests that tifffile, Bio-Formats or their writers give.
//!
//! The corpus is not part of the repository: `FAIRZARR_CORPUS` names its folder, or it lies beside the workspace
//! as `shared/corpus`. Where nobody asked for it and there is none, these tests pass without looking.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use fairzarr_ome_tiff::{Fileset, Image, OnMissing, OpenOptions, PlaneIndex, Region, Scratch};
use serde_json::Value;
use sha1::{Digest, Sha1};

/// Files whose pixels are recorded and that are refused nevertheless, with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("generated/xml/mis-type.ome.tiff", "OME Type and tags disagree in the number of bytes"),
    ("generated/xml/mis-sizec.ome.tiff", "promises a channel that the file lacks"),
    ("generated/xml/set-missing-file/part0.ome.tiff", "a file of the set is missing"),
    ("generated/xml/map-missing-planes.ome.tiff", "promises planes that the file lacks"),
];

#[test]
fn planes_equal_the_recorded_digests() {
    let Some(corpus) = corpus() else { return };
    let mut report = Report::default();
    for (file, expected) in recorded(&corpus) {
        if file.starts_with("hostile/") {
            continue;
        }
        let path = corpus.join("open").join(&file);
        if !path.is_file() {
            continue;
        }
        let known = matches!(expected["source"].as_str(), Some("truth" | "both"));
        let refusal = REFUSED.iter().find(|(name, _)| *name == file);
        let outcome =
            catch_unwind(AssertUnwindSafe(|| compare(&path, &expected["images"], OnMissing::Error)));
        let verdict = match outcome {
            Err(_) => "PANIC: see above".to_owned(),
            Ok(Outcome::Equal) => "exact".to_owned(),
            Ok(Outcome::Different(what)) if known => format!("WRONG: {what}"),
            Ok(Outcome::Different(what)) => format!("other: {} says otherwise: {what}", expected["source"]),
            Ok(Outcome::Refused(_)) if refusal.is_some() => "refused-ok".to_owned(),
            Ok(Outcome::Refused(what)) if known => format!("REFUSED: {what}"),
            Ok(Outcome::Refused(what)) => format!("refused: {what}"),
        };
        report.add(&file, &verdict);
    }
    report.finish();
}

/// Levels as tifffile finds and reads them.
#[test]
fn levels_equal_the_recorded_digests() {
    let Some(corpus) = corpus() else { return };
    let mut report = Report::default();
    for line in fs::read_to_string(corpus.join("oracle.jsonl")).unwrap().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let file = entry["file"].as_str().unwrap();
        let Some(series) = entry["tifffile"]["series"].as_array() else { continue };
        let leveled =
            series.iter().any(|series| series["lower"].as_array().is_some_and(|lower| !lower.is_empty()));
        let path = corpus.join("open").join(file);
        if file.starts_with("hostile/") || !leveled || !path.is_file() {
            continue;
        }
        let set = Fileset::open(&path).unwrap();
        let mut verdict = "exact".to_owned();
        for (n, (image, series)) in set.images().iter().zip(series).enumerate() {
            let lossy = entry["expected"]["images"][n]["lossy"].as_bool().unwrap_or(false);
            if let Err(what) = compare_levels(image, &series["lower"], lossy) {
                verdict = format!("WRONG: image {n}: {what}");
            }
        }
        report.add(file, &verdict);
    }
    report.finish();
}

/// Whichever file of a set is named, the planes are the same.
#[test]
fn any_member_gives_the_same_planes() {
    let Some(corpus) = corpus() else { return };
    let mut report = Report::default();
    for folder in fs::read_dir(corpus.join("open/generated/xml")).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        if !folder.is_dir() || !name.starts_with("set-") || name == "set-missing-file" {
            continue;
        }
        let mut files = Vec::new();
        collect(&folder, &mut files);
        let all: Vec<Vec<BTreeMap<String, String>>> = files
            .iter()
            .map(|file| {
                let set = Fileset::open(file).unwrap();
                set.images().iter().map(|image| digests(image, 0).unwrap().planes).collect()
            })
            .collect();
        let same = all.windows(2).all(|pair| pair[0] == pair[1]);
        report.add(&name, if same { "exact" } else { "WRONG: the members differ" });
    }
    report.finish();
}

/// With planes that are missing left out, all others are as recorded.
#[test]
fn what_is_there_is_read_where_planes_are_missing() {
    let Some(corpus) = corpus() else { return };
    let mut report = Report::default();
    for (file, expected) in recorded(&corpus) {
        if !REFUSED[2..].iter().any(|(name, _)| *name == file) {
            continue;
        }
        let path = corpus.join("open").join(&file);
        let verdict = match compare(&path, &expected["images"], OnMissing::Fill) {
            Outcome::Equal => "exact".to_owned(),
            Outcome::Different(what) => format!("WRONG: {what}"),
            Outcome::Refused(what) => format!("REFUSED: {what}"),
        };
        report.add(&file, &verdict);
    }
    report.finish();
}

#[test]
fn hostile_files_end_soon() {
    let Some(corpus) = corpus() else { return };
    let mut report = Report::default();
    let mut files = Vec::new();
    collect(&corpus.join("open/hostile"), &mut files);
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e != "csv")) {
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| read_some(path)));
        let took = start.elapsed();
        let verdict = match outcome {
            Err(_) => "PANIC: see above".to_owned(),
            Ok(_) if took > Duration::from_secs(5) => format!("WRONG: took {took:?}"),
            Ok(Ok(())) => "accepted".to_owned(),
            Ok(Err(what)) => format!("refused: {what}"),
        };
        report.add(&path.strip_prefix(&corpus).unwrap().display().to_string(), &verdict);
    }
    report.finish();
}

enum Outcome {
    Equal,
    Different(String),
    Refused(String),
}

fn compare(path: &Path, expected: &Value, on_missing: OnMissing) -> Outcome {
    let mut options = OpenOptions::default();
    options.on_missing = on_missing;
    let set = match Fileset::open_path(path, options) {
        Ok(set) => set,
        Err(e) => return Outcome::Refused(chain(&e)),
    };
    let expected = expected.as_array().map(Vec::as_slice).unwrap_or_default();
    if set.images().len() != expected.len() {
        return Outcome::Different(format!("{} images, expected {}", set.images().len(), expected.len()));
    }
    for (n, (image, expected)) in set.images().iter().zip(expected).enumerate() {
        let shape = image.shape();
        let size = |axis: &str| expected[axis].as_u64().unwrap_or(0) as u32;
        let wanted = (size("T"), size("C"), size("Z"), size("Y"), size("X"));
        let found = (shape.t, shape.c, shape.z, shape.y, shape.x);
        if found != wanted {
            return Outcome::Different(format!("image {n}: t c z y x are {found:?}, expected {wanted:?}"));
        }
        if expected["type"].as_str() != Some(image.sample_type().name()) {
            let found = image.sample_type();
            return Outcome::Different(format!("image {n}: type is {found}, expected {}", expected["type"]));
        }
        match compare_planes(image, expected) {
            Ok(()) => {}
            Err(outcome) => return outcome,
        }
    }
    Outcome::Equal
}

fn compare_planes(image: &Image, expected: &Value) -> Result<(), Outcome> {
    let lossy = expected["lossy"].as_bool().unwrap_or(false);
    let found = digests(image, 0).map_err(Outcome::Refused)?;
    let none = serde_json::Map::new();
    let planes = expected["planes"].as_object().unwrap_or(&none);
    for (key, digest) in planes.iter().filter(|_| !lossy) {
        match found.planes.get(key) {
            Some(sha) if Some(sha.as_str()) == digest.as_str() => {}
            Some(_) => return Err(Outcome::Different(format!("plane c,z,t = {key} differs"))),
            // Missing, and opened as such.
            None => {}
        }
    }
    if planes.is_empty()
        && !lossy
        && let Some(all) = expected["sha_all"].as_str()
        && all != found.all
    {
        return Err(Outcome::Different("the digest of all planes differs".to_owned()));
    }
    Ok(())
}

fn compare_levels(image: &Image, lower: &Value, lossy: bool) -> Result<(), String> {
    let lower = lower.as_array().map(Vec::as_slice).unwrap_or_default();
    if image.levels().len() != lower.len() + 1 {
        return Err(format!("{} levels, expected {}", image.levels().len(), lower.len() + 1));
    }
    for (n, expected) in lower.iter().enumerate() {
        let level = &image.levels()[n + 1];
        if (expected["Y"].as_u64(), expected["X"].as_u64()) != (Some(level.y.into()), Some(level.x.into())) {
            return Err(format!("level {} has {} x {} pixels", n + 1, level.x, level.y));
        }
        let found = digests(image, n + 1)?.planes;
        let none = serde_json::Map::new();
        for (key, digest) in expected["planes"].as_object().unwrap_or(&none) {
            if !lossy && found.get(key).map(String::as_str) != digest.as_str() {
                return Err(format!("level {}, plane c,z,t = {key} differs", n + 1));
            }
        }
    }
    Ok(())
}

struct Digests {
    planes: BTreeMap<String, String>,
    all: String,
}

/// SHA-1 of every plane, and of all of them with t slowest, then c, then z.
fn digests(image: &Image, level: usize) -> Result<Digests, String> {
    let (shape, size) = (image.shape(), &image.levels()[level]);
    let plane_len = size.y as usize * size.x as usize * image.sample_type().bytes();
    let region = Region { y: 0, x: 0, h: size.y, w: size.x };
    let mut scratch = Scratch::new();
    let mut digests = Digests { planes: BTreeMap::new(), all: String::new() };
    let mut all = Sha1::new();
    for t in 0..shape.t {
        for (group, channels) in image.channel_groups().iter().enumerate() {
            let mut planes: Vec<Vec<u8>> = Vec::new();
            let mut samples = vec![0; plane_len * channels.len()];
            for z in 0..shape.z {
                if !image.has_plane(t, channels.start, z) {
                    continue;
                }
                let plane = PlaneIndex { t, group: group as u32, z };
                image.read(level, plane, region, &mut samples, &mut scratch).map_err(|e| chain(&e))?;
                for (c, plane) in channels.clone().zip(samples.chunks_exact(plane_len)) {
                    digests.planes.insert(format!("{c},{z},{t}"), hex(&Sha1::digest(plane)));
                }
                planes.push(samples.clone());
            }
            for sample in 0..channels.len() {
                for plane in &planes {
                    all.update(&plane[sample * plane_len..][..plane_len]);
                }
            }
        }
    }
    digests.all = hex(&all.finalize());
    Ok(digests)
}

/// Reads the start of every image, as far as a quick look goes.
fn read_some(path: &Path) -> Result<(), String> {
    let set = Fileset::open(path).map_err(|e| chain(&e))?;
    let mut scratch = Scratch::new();
    for image in set.images() {
        let shape = image.shape();
        let (h, w) = (shape.y.min(64), shape.x.min(64));
        let region = Region { y: 0, x: 0, h, w };
        for (group, channels) in image.channel_groups().iter().enumerate().take(4) {
            let len = channels.len() * h as usize * w as usize * image.sample_type().bytes();
            let mut samples = vec![0; len];
            let plane = PlaneIndex { t: 0, group: group as u32, z: 0 };
            image.read(0, plane, region, &mut samples, &mut scratch).map_err(|e| chain(&e))?;
        }
    }
    for page in set.original_metadata() {
        page.map_err(|e| chain(&e))?;
    }
    Ok(())
}

fn corpus() -> Option<PathBuf> {
    fairzarr_spec_tests::corpus("")
}

/// File and `expected` of each line that passes the filter in `FAIRZARR_CORPUS_MATCH`.
fn recorded(corpus: &Path) -> Vec<(String, Value)> {
    let filter = std::env::var("FAIRZARR_CORPUS_MATCH").unwrap_or_default();
    let lines = fs::read_to_string(corpus.join("oracle.jsonl")).unwrap();
    lines
        .lines()
        .map(|line| {
            let mut entry: Value = serde_json::from_str(line).unwrap();
            (entry["file"].as_str().unwrap().to_owned(), entry["expected"].take())
        })
        .filter(|(file, _)| file.contains(&filter))
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
    files.sort();
}

fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut cause = e.source();
    while let Some(e) = cause {
        write!(text, ": {e}").unwrap();
        cause = e.source();
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[derive(Default)]
struct Report {
    counts: BTreeMap<String, u32>,
    failures: u32,
}

impl Report {
    fn add(&mut self, file: &str, verdict: &str) {
        let kind = verdict.split(':').next().unwrap().to_owned();
        if kind != "exact" {
            println!("{verdict}\t{file}");
        }
        self.failures += u32::from(matches!(kind.as_str(), "WRONG" | "REFUSED" | "PANIC"));
        *self.counts.entry(kind).or_default() += 1;
    }

    fn finish(self) {
        println!("{:?}", self.counts);
        let filtered = std::env::var_os("FAIRZARR_CORPUS_MATCH").is_some();
        assert!(filtered || !self.counts.is_empty(), "a corpus without a file for this test");
        assert_eq!(self.failures, 0, "files are not read as recorded, see above: {:?}", self.counts);
    }
}
