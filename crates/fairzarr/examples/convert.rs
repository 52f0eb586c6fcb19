//! Converts an OME-TIFF, proves the result, and tells how far it is: `cargo run --example convert -- IN OUT`.

use fairzarr::convert::{Options, convert};
use fairzarr::ome_tiff::OpenOptions;
use fairzarr::open::fileset;
use fairzarr::store::{Location, Store, StoreOptions};
use fairzarr::task::Job;
use fairzarr::verify::{self, verify};
use std::error::Error;
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("two arguments are needed: an OME-TIFF and the place of the OME-Zarr".into());
    };
    let remote = StoreOptions::default();
    let source = fileset(&input.parse::<Location>()?, OpenOptions::default(), &remote)?;
    let store = Store::open(&output.parse::<Location>()?, &remote)?;
    let job = Job::new();
    let report = thread::scope(|scope| {
        let work = scope.spawn(|| convert(&source, &store, &Options::default(), &job));
        while !work.is_finished() {
            eprintln!("{} of {} bytes", job.progress.done(), job.progress.total());
            thread::sleep(Duration::from_millis(200));
        }
        work.join().map_err(|_| "the conversion panicked")
    })??;
    println!("{} objects, {} bytes", report.objects, report.bytes);
    let proofs = verify(&source, &store, &verify::Options::default(), &job.next_step())?;
    print!("{proofs}");
    if proofs.holds() { Ok(()) } else { Err("the store does not hold what the source holds".into()) }
}
