//! Real documents of a corpus, where there is one: each is read or refused, and what is read survives JSON.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use fairzarr_nbo::Record;
use fairzarr_nbo::ingest::ingest;
use fairzarr_nbo::placement::{Images, Placement};
use fairzarr_spec_tests::corpus;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| ["xml", "ome", "json", "yaml"].iter().any(|x| e == *x)) {
            found.push(path);
        }
    }
}

#[test]
fn documents_of_the_corpus() {
    let folders: Vec<PathBuf> = ["open/ome-xml", "nbo"].into_iter().filter_map(corpus).collect();
    let mut found = Vec::new();
    for folder in &folders {
        let before = found.len();
        files(folder, &mut found);
        assert!(found.len() > before, "no document below {}", folder.display());
    }
    let mut read = 0;
    for path in &found {
        let bytes = std::fs::read(path).unwrap();
        if bytes.len() > 8 << 20 {
            continue;
        }
        let Ok(mut record) = ingest(&path.display().to_string(), &bytes) else { continue };
        read += 1;
        let text = serde_json::to_string(&record.to_json()).unwrap();
        let back = Record::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(back.to_json(), record.to_json(), "{path:?}");
        let images = record.objects.iter().filter(|o| o.class == "Image").count();
        record.in_store = Some((0..images).map(Some).collect());
        let placement = Placement::new(&record, Images::InGroups);
        for image in 0..images.min(4) {
            let size = serde_json::to_string(&placement.image(image, "..")).unwrap().len();
            assert!(size < 64 * 1024, "{path:?}: {size} bytes for image {image}");
        }
    }
    assert!(read * 10 >= found.len() * 5, "{read} of {} documents read", found.len());
    println!("{read} of {} documents read", found.len());
}
