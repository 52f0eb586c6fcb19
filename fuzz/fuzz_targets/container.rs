#![no_main]

use std::{io, sync::Arc};

use fairzarr_ome_tiff::{ByteSource, Fileset, OpenOptions, Opener, PlaneIndex, Region, Scratch};
use libfuzzer_sys::fuzz_target;

/// One file, and nothing beside it.
struct One(Vec<u8>);

impl Opener for One {
    fn open(&self, name: &str) -> io::Result<Arc<dyn ByteSource>> {
        if name == "a" { Ok(Arc::new(self.0.clone())) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(vec!["a".to_owned()])
    }
}

fuzz_target!(|data: &[u8]| {
    let mut options = OpenOptions::default();
    options.max_chunk = 16 << 20;
    options.stream_above = 1 << 20;
    let Ok(set) = Fileset::open_with(Arc::new(One(data.to_vec())), "a", options) else { return };
    let mut scratch = Scratch::with_cache(1 << 20);
    for image in set.images().iter().take(4) {
        for (number, level) in image.levels().iter().enumerate() {
            let region = Region {
                y: level.y / 2,
                x: level.x / 2,
                h: (level.y - level.y / 2).min(64),
                w: (level.x - level.x / 2).min(64),
            };
            for (group, channels) in image.channel_groups().iter().enumerate().take(4) {
                let pixels = region.h as usize * region.w as usize;
                let mut samples = vec![0; channels.len() * pixels * image.sample_type().bytes()];
                let plane = PlaneIndex { t: 0, group: group as u32, z: 0 };
                let _ = image.read(number, plane, region, &mut samples, &mut scratch);
                let _ = image.stored_chunk(number, plane, 0, 0);
            }
        }
    }
    for page in set.original_metadata().take(16) {
        let _ = page;
    }
});
