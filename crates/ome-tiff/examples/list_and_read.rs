//! Lists the images of a fileset and reads a region of each with several threads.
//!
//! ```sh
//! cargo run -p fairzarr-ome-tiff --example list_and_read -- FILE
//! ```

use std::{error::Error, thread};

use fairzarr_ome_tiff::{Fileset, Image, PlaneIndex, Region, Scratch};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: list_and_read FILE")?;
    let set = Fileset::open(path)?;
    println!("{:?} of {} files", set.kind(), set.files().len());
    for warning in set.warnings() {
        println!("note: {warning}");
    }
    for image in set.images() {
        println!("{}: {}, {}", image.name().unwrap_or("(no name)"), image.sample_type(), image.shape());
        for level in image.levels() {
            let grid = level.grid;
            let kind = if grid.tiled { "tiles" } else { "strips" };
            println!(
                "  {} x {} in {kind} of {} x {}, {}",
                level.x,
                level.y,
                grid.width,
                grid.height,
                level.compression.name()
            );
        }
        println!("  sum of the bytes in the top left corner of every plane: {}", corners(image)?);
    }
    Ok(())
}

/// One thread for each time point modulo four; an image needs no lock, each thread a scratch of its own.
fn corners(image: &Image) -> Result<u64, fairzarr_ome_tiff::Error> {
    let shape = image.shape();
    let corner = Region { y: 0, x: 0, h: shape.y.min(64), w: shape.x.min(64) };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|first| {
                scope.spawn(move || {
                    let mut scratch = Scratch::new();
                    let mut sum = 0;
                    for t in (first..shape.t).step_by(4) {
                        for (group, channels) in image.channel_groups().iter().enumerate() {
                            let pixels = corner.h as usize * corner.w as usize;
                            let mut samples = vec![0; channels.len() * pixels * image.sample_type().bytes()];
                            for z in (0..shape.z).filter(|z| image.has_plane(t, channels.start, *z)) {
                                image.read(
                                    0,
                                    PlaneIndex { t, group: group as u32, z },
                                    corner,
                                    &mut samples,
                                    &mut scratch,
                                )?;
                                sum += samples.iter().map(|byte| u64::from(*byte)).sum::<u64>();
                            }
                        }
                    }
                    Ok(sum)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(0))).sum()
    })
}
