#![no_main]

use bytes::Bytes;
use fairzarr_fuzz::archives;
use fairzarr_store::{Store, StoreOptions};
use libfuzzer_sys::fuzz_target;

// What is listed is found level by level, and every object that is read whole has its size and gives the same bytes in part.
fuzz_target!(init: archives::write(), |data: &[u8]| {
    let folder = Store::memory();
    folder.put("x.ozx", Bytes::copy_from_slice(data)).expect("memory takes everything");
    let archive = Store::archive(&folder, "x.ozx", &StoreOptions::default());
    let Ok(objects) = archive.list("") else { return };
    assert_eq!(objects.len(), below(&archive, ""));
    for (key, size) in objects.iter().take(16) {
        assert_eq!(archive.size(key).expect("an open archive"), Some(*size));
        let Ok(Some(bytes)) = archive.get(key) else { continue };
        assert_eq!(bytes.len() as u64, *size);
        let (start, end) = (size / 3, size - size / 4);
        let part = archive.get_range(key, start..end).expect("a part of what has been read");
        assert_eq!(part.expect("an object"), bytes[start as usize..end as usize]);
        let end = archive.get_suffix(key, 5).expect("the end of what has been read").expect("an object");
        assert!(bytes.ends_with(&end));
    }
});

/// How many objects are below a prefix, by the listings of single levels.
fn below(archive: &Store, prefix: &str) -> usize {
    let children = archive.list_children(prefix).expect("an open archive");
    let join = |name: &String| if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
    children.objects.len()
        + children.directories.iter().map(|name| below(archive, &join(name))).sum::<usize>()
}
