//! Shows what an OME-Zarr holds, from any place: `cargo run --example read -- STORE`.

use fairzarr::ome_zarr::{Hierarchy, record};
use fairzarr::store::{Location, Store, StoreOptions};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::args().nth(1).ok_or("one argument is needed: the place of an OME-Zarr")?;
    let store = Store::open(&place.parse::<Location>()?, &StoreOptions::default())?;
    let hierarchy = Hierarchy::open(&store)?;
    for index in 0..hierarchy.images().len() {
        let image = hierarchy.open_image(index)?;
        for array in &image.levels {
            println!("{}: {} of {:?}", array.path(), array.data_type(), array.shape());
        }
        if let Some(array) = image.levels.last() {
            let all: Vec<_> = array.shape().iter().map(|side| 0..(*side).min(8)).collect();
            println!("  {} bytes of its first samples", array.read(&all)?.len());
        }
    }
    if let Some(stored) = record(&store)? {
        println!("{} objects of provenance", stored.record.objects.len());
    }
    Ok(())
}
