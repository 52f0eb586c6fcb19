//! The unavoidable work of a conversion, alone: every full-resolution sample is read and decoded once, halved
//! once per level, compressed once with blosc-lz4-5-shuffle in 512 x 512 chunks, and written once. No metadata,
//! no digests, no statistics, no checks.
//!
//! `limit SOURCE.ome.tiff OUTPUT-DIRECTORY [JOBS] [SHARD-CHUNKS]` prints CPU seconds by stage as JSON. With SHARD-CHUNKS, that
//! many encoded chunks are written into one file. Only 16-bit single-sample images whose sides are multiples of
//! 512 are taken, so that nothing but the work itself is measured.

use anyhow::{Context, Result, ensure};
use cpu_time::ThreadTime;
use fairzarr_ome_tiff::{Fileset, Image, PlaneIndex, Region, SampleType, Scratch};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use zarrs::array::codec::bytes_to_bytes::blosc::{
    BloscCompressionLevel, BloscCompressor, BloscShuffleMode, blosc_compress_bytes,
};

const BLOCK: u32 = 512;
const CHUNK: usize = 512;

#[derive(Clone, Copy, Default)]
struct Stages {
    read: Duration,
    halve: Duration,
    compress: Duration,
    write: Duration,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let source = args.next().context("usage: limit SOURCE OUTPUT-DIRECTORY [JOBS] [SHARD-CHUNKS]")?;
    let output = PathBuf::from(args.next().context("which output directory?")?);
    let jobs: usize = args.next().map_or(Ok(2), |jobs| jobs.parse())?;
    let per_file: usize = args.next().map_or(Ok(1), |chunks| chunks.parse())?;
    std::fs::create_dir_all(&output)?;
    let set = Fileset::open(&source)?;
    let image = set.images().first().context("no image")?;
    let shape = image.shape();
    ensure!(image.sample_type() == SampleType::Uint16, "only uint16");
    ensure!(shape.y % BLOCK == 0 && shape.x % BLOCK == 0, "sides must be multiples of {BLOCK}");

    let planes: Vec<PlaneIndex> = (0..shape.t)
        .flat_map(|t| (0..shape.c).flat_map(move |c| (0..shape.z).map(move |z| (t, c, z))))
        .map(|(t, c, z)| PlaneIndex { t, group: c, z })
        .collect();
    let next = AtomicUsize::new(0);
    let total = Mutex::new(Stages::default());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let mut worker = Worker::new(&output, per_file);
                while let Some(plane) = planes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = worker.plane(image, *plane) {
                        if let Ok(mut failure) = failure.lock() {
                            *failure = Some(error);
                        }
                        return;
                    }
                }
                if let Ok(mut total) = total.lock() {
                    total.read += worker.stages.read;
                    total.halve += worker.stages.halve;
                    total.compress += worker.stages.compress;
                    total.write += worker.stages.write;
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().ok().flatten() {
        return Err(error);
    }
    let total = total.into_inner().unwrap_or_default();
    let seconds = [total.read, total.halve, total.compress, total.write].map(|stage| stage.as_secs_f64());
    println!(
        "{}",
        serde_json::json!({
            "read_decode": seconds[0], "halve": seconds[1], "compress": seconds[2], "write": seconds[3],
            "sum": seconds.iter().sum::<f64>(),
        })
    );
    Ok(())
}

struct Worker<'a> {
    output: &'a Path,
    per_file: usize,
    stages: Stages,
    scratch: Scratch,
    block: Vec<u16>,
    above: Vec<u16>,
    spare: Vec<u16>,
    chunk: Vec<u16>,
    pending: Vec<Vec<u8>>,
    files: usize,
}

impl<'a> Worker<'a> {
    fn new(output: &'a Path, per_file: usize) -> Self {
        Self {
            output,
            per_file,
            stages: Stages::default(),
            scratch: Scratch::new(),
            block: Vec::new(),
            above: Vec::new(),
            spare: Vec::new(),
            chunk: Vec::new(),
            pending: Vec::new(),
            files: 0,
        }
    }

    /// Blocks of level 0 are halved as they come; what lies above is small and done from those.
    fn plane(&mut self, image: &Image, plane: PlaneIndex) -> Result<()> {
        let shape = image.shape();
        // A tile that is a chunk needs no copy; strips are read whole.
        let wide = image.levels()[0].grid.width >= shape.x;
        let (h, w) = (BLOCK, if wide { shape.x } else { BLOCK });
        let mut block = std::mem::take(&mut self.block);
        block.resize((h * w) as usize, 0);
        let (mut height, mut width) = (shape.y as usize / 2, shape.x as usize / 2);
        let mut above = std::mem::take(&mut self.above);
        above.resize(height * width, 0);
        for y in (0..shape.y).step_by(h as usize) {
            for x in (0..shape.x).step_by(w as usize) {
                let region = Region { y, x, h, w };
                let start = ThreadTime::now();
                image.read(0, plane, region, bytemuck::cast_slice_mut(&mut block), &mut self.scratch)?;
                self.stages.read += start.elapsed();
                let corner = (y / 2) as usize * width + (x / 2) as usize;
                self.halve(&block, w as usize, &mut above[corner..], width);
                self.store(&block, w as usize)?;
            }
        }
        loop {
            self.store(&above, width)?;
            if height <= CHUNK / 2 && width <= CHUNK / 2 {
                break;
            }
            let mut next = std::mem::take(&mut self.spare);
            next.resize(height / 2 * (width / 2), 0);
            self.halve(&above, width, &mut next, width / 2);
            (self.spare, above, height, width) = (above, next, height / 2, width / 2);
        }
        (self.block, self.above) = (block, above);
        self.flush()
    }

    fn halve(&mut self, from: &[u16], width: usize, to: &mut [u16], stride: usize) {
        let start = ThreadTime::now();
        for (rows, out) in from.chunks_exact(2 * width).zip(to.chunks_mut(stride)) {
            let (upper, lower) = rows.split_at(width);
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            for (out, (a, b)) in out.iter_mut().zip(pairs) {
                *out =
                    ((u32::from(a[0]) + u32::from(a[1]) + u32::from(b[0]) + u32::from(b[1]) + 2) >> 2) as u16;
            }
        }
        self.stages.halve += start.elapsed();
    }

    fn store(&mut self, pixels: &[u16], width: usize) -> Result<()> {
        let height = pixels.len() / width;
        let (h, w) = (CHUNK.min(height), CHUNK.min(width));
        for top in (0..height).step_by(h) {
            for left in (0..width).step_by(w) {
                let start = ThreadTime::now();
                let chunk = if (h, w) == (height, width) {
                    pixels
                } else {
                    self.chunk.clear();
                    for row in top..top + h {
                        self.chunk.extend_from_slice(&pixels[row * width + left..][..w]);
                    }
                    &self.chunk
                };
                let level: BloscCompressionLevel =
                    5u8.try_into().map_err(|_| anyhow::anyhow!("Blosc has no level 5"))?;
                let stored = blosc_compress_bytes(
                    bytemuck::cast_slice(chunk),
                    level,
                    BloscShuffleMode::Shuffle,
                    2,
                    BloscCompressor::LZ4,
                    0,
                    1,
                )?;
                self.stages.compress += start.elapsed();
                self.pending.push(stored);
                if self.pending.len() >= self.per_file {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let start = ThreadTime::now();
        let name = format!("{:?}-{}", std::thread::current().id(), self.files);
        let temporary = self.output.join(format!("{name}.tmp"));
        let mut file = File::create(&temporary)?;
        for part in self.pending.drain(..) {
            file.write_all(&part)?;
        }
        drop(file);
        std::fs::rename(&temporary, self.output.join(name))?;
        self.files += 1;
        self.stages.write += start.elapsed();
        Ok(())
    }
}
