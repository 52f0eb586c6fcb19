#![no_main]

use fairzarr_fuzz::{chunk, seeds};
use fairzarr_tiff_codec::{Decoder, RowStream, can_stream};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("codec"), |data: &[u8]| {
    let Some((layout, stored)) = chunk(data) else { return };
    let Ok(length) = layout.decoded_len() else { return };
    let mut whole = vec![0; length];
    let result = Decoder::new().decode(&layout, stored, &mut whole);
    assert!(layout.check().is_ok() || result.is_err());
    if !can_stream(&layout) {
        return;
    }
    let mut rows = vec![0; length];
    let mut stream = RowStream::new(layout.clone(), stored).expect("a layout that can be streamed");
    let row_len = layout.row_len().expect("a length that has been computed");
    let streamed = rows.chunks_mut(row_len * 3).try_for_each(|rows| stream.read_rows(rows));
    // Rows in order are given less memory than some Zstandard frames ask for.
    if streamed.as_ref().is_err_and(|error| error.to_string().contains("too much memory")) {
        return;
    }
    // What follows the last row, such as a checksum, is judged by both.
    assert_eq!(streamed.is_ok(), result.is_ok(), "{layout:?}: {streamed:?}, {result:?}");
    if result.is_ok() {
        assert_eq!(rows, whole, "{layout:?}");
    }
});
