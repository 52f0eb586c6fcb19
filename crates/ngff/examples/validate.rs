//! Validates OME-Zarr directories: `cargo run -p fairzarr-ngff --example validate -- a.ome.zarr b.ome.zarr`
//!
//! Shows what a place has to do to be validated: give documents by key, and list.

use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::{env, fs};

use fairzarr_ngff::hierarchy::{Depth, Documents, Stop, validate_hierarchy};

struct Directory(PathBuf);

impl Documents for Directory {
    type Error = std::io::Error;

    fn document(&self, key: &str) -> Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(key)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&error.kind()) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn children(&self, path: &str) -> Result<Option<Vec<String>>> {
        let entries = fs::read_dir(self.0.join(path))?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<Result<_>>().map(Some)
    }

    fn objects(&self, path: &str) -> Result<Option<Vec<(String, u64)>>> {
        let mut objects = Vec::new();
        below(&self.0, path, &mut objects)?;
        Ok(Some(objects))
    }
}

fn below(root: &Path, path: &str, objects: &mut Vec<(String, u64)>) -> Result<()> {
    for entry in fs::read_dir(root.join(path))? {
        let entry = entry?;
        let key = format!("{path}/{}", entry.file_name().to_string_lossy());
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            below(root, &key, objects)?;
        } else {
            objects.push((key.trim_start_matches('/').into(), metadata.len()));
        }
    }
    Ok(())
}

fn main() {
    let mut depth = Depth::Documents;
    for path in env::args().skip(1) {
        if path == "--deep" {
            depth = Depth::Objects;
            continue;
        }
        match validate_hierarchy(&Directory(path.clone().into()), depth) {
            Ok(validity) => {
                println!("{path}: {}", if validity.is_valid() { "valid" } else { "not valid" });
                for found in &validity.findings {
                    println!("  {:?} {} [{}]", found.node, found.finding, found.finding.remedy);
                }
            }
            Err(Stop::Unreadable(error)) => println!("{path}: {error}"),
            Err(stop) => println!("{path}: {stop:?}"),
        }
    }
}
