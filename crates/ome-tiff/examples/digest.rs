//! Prints, as JSON, the images of a fileset with the SHA-1 of every plane, keyed `c,z,t`.
//!
//! ```sh
//! cargo run -p fairzarr-ome-tiff --example digest -- [--fill] FILE
//! ```

use std::{error::Error, path::Path};

use fairzarr_ome_tiff::{Fileset, Image, OnMissing, OpenOptions, PlaneIndex, Region, Scratch};
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut options = OpenOptions::default();
    if arguments.first().is_some_and(|argument| argument == "--fill") {
        options.on_missing = OnMissing::Fill;
        arguments.remove(0);
    }
    let [path] = &arguments[..] else { return Err("usage: digest [--fill] FILE".into()) };
    let set = Fileset::open_path(Path::new(path), options)?;
    let images = set.images().iter().map(digest).collect::<Result<Vec<_>, _>>()?;
    let report = json!({
        "kind": format!("{:?}", set.kind()),
        "files": set.files().iter().map(|file| &file.name).collect::<Vec<_>>(),
        "warnings": set.warnings().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "images": images,
    });
    println!("{report:#}");
    Ok(())
}

fn digest(image: &Image) -> Result<Value, Box<dyn Error>> {
    let shape = image.shape();
    let mut levels = Vec::new();
    for level in 0..image.levels().len() {
        levels.push(planes(image, level)?);
    }
    Ok(json!({
        "name": image.name(),
        "T": shape.t, "C": shape.c, "Z": shape.z, "Y": shape.y, "X": shape.x,
        "type": image.sample_type().name(),
        "levels": image.levels().iter().map(|level| json!([level.y, level.x])).collect::<Vec<_>>(),
        "planes": levels,
    }))
}

/// SHA-1 of each plane at a level.
fn planes(image: &Image, level: usize) -> Result<Map<String, Value>, Box<dyn Error>> {
    let (shape, size) = (image.shape(), &image.levels()[level]);
    let region = Region { y: 0, x: 0, h: size.y, w: size.x };
    let plane_len = size.y as usize * size.x as usize * image.sample_type().bytes();
    let mut scratch = Scratch::new();
    let mut digests = Map::new();
    for t in 0..shape.t {
        for (group, channels) in image.channel_groups().iter().enumerate() {
            let mut samples = vec![0; plane_len * channels.len()];
            for z in 0..shape.z {
                if !image.has_plane(t, channels.start, z) {
                    continue;
                }
                image.read(
                    level,
                    PlaneIndex { t, group: group as u32, z },
                    region,
                    &mut samples,
                    &mut scratch,
                )?;
                for (c, plane) in channels.clone().zip(samples.chunks_exact(plane_len)) {
                    let sha = hex(&Sha1::digest(plane));
                    digests.insert(format!("{c},{z},{t}"), sha.into());
                }
            }
        }
    }
    Ok(digests)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
