//! The smallest TIFF files: what matters is their OME-XML.

use std::path::Path;

/// An uncompressed TIFF of `pages` pages of 2 x 2 bytes, with this OME-XML.
pub(crate) fn tiff(path: &Path, xml: &str, pages: usize) {
    let mut file: Vec<u8> = b"II\x2a\0\x08\0\0\0".to_vec();
    for page in 0..pages {
        let description: &[u8] = if page == 0 { xml.as_bytes() } else { b"" };
        let described = !description.is_empty();
        let entries: u16 = if described { 10 } else { 9 };
        let end = file.len() + 2 + usize::from(entries) * 12 + 4;
        let next = end + 4 + if described { description.len() + 1 } else { 0 };
        let next = next + next % 2;
        file.extend(entries.to_le_bytes());
        let mut entry = |tag: u16, kind: u16, count: usize, value: usize| {
            file.extend(tag.to_le_bytes());
            file.extend(kind.to_le_bytes());
            file.extend((count as u32).to_le_bytes());
            file.extend((value as u32).to_le_bytes());
        };
        entry(256, 3, 1, 2);
        entry(257, 3, 1, 2);
        entry(258, 3, 1, 8);
        entry(259, 3, 1, 1);
        entry(262, 3, 1, 1);
        if described {
            entry(270, 2, description.len() + 1, end + 4);
        }
        entry(273, 4, 1, end);
        entry(277, 3, 1, 1);
        entry(278, 3, 1, 2);
        entry(279, 4, 1, 4);
        file.extend((if page + 1 == pages { 0 } else { next as u32 }).to_le_bytes());
        file.extend([page as u8, 1, 2, 3]);
        if described {
            file.extend(description);
            file.push(0);
        }
        file.resize(next, 0);
    }
    std::fs::write(path, file).unwrap();
}
