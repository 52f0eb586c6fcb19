//! Documents that are nearly the same: one of them whole, the others as what stands otherwise in them.
//!
//! Writers of OME-TIFF put the document that describes a whole set into each of its files, and change only the UUID in it. A set of
//! many files would be kept in memory, and in a store, as many times as it has files.

use std::fmt;

/// A part of a document that stands otherwise in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Where the part begins in the document that is kept whole, in bytes.
    pub at: usize,
    /// How many bytes it has there.
    pub removed: usize,
    /// What stands in the other document instead.
    pub inserted: String,
}

/// Documents of fewer bytes are not worth an account of their differences.
const LEAST: usize = 4096;
/// Documents with more differences are documents of their own.
const MOST_EDITS: usize = 64;
/// How many bytes are added to and left out of a document, together, where both are compared again after a difference.
const FARTHEST: usize = 160;
/// So many equal bytes end a difference.
const ENOUGH: usize = 24;

/// What has to be changed in `whole` to have `other`; `None` where that is much, where `other` is small, or where what
/// is to be inserted is no text.
pub fn edits(whole: &[u8], other: &[u8]) -> Option<Vec<Edit>> {
    if other.len() < LEAST || whole.len().abs_diff(other.len()) > MOST_EDITS * FARTHEST {
        return None;
    }
    let (mut edits, mut at, mut to) = (Vec::new(), 0, 0);
    loop {
        let same = equal_from(&whole[at..], &other[to..]);
        (at, to) = (at + same, to + same);
        if at == whole.len() && to == other.len() {
            return Some(edits);
        }
        if edits.len() == MOST_EDITS {
            return None;
        }
        let (removed, inserted) = difference(&whole[at..], &other[to..])?;
        let text = std::str::from_utf8(&other[to..to + inserted]).ok()?;
        edits.push(Edit { at, removed, inserted: text.to_owned() });
        (at, to) = (at + removed, to + inserted);
    }
}

/// How many bytes two documents have in common from their start.
fn equal_from(a: &[u8], b: &[u8]) -> usize {
    // Whole blocks at once: documents of many megabytes differ in a few bytes.
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count();
    let start = blocks * BLOCK;
    start + a[start..].iter().zip(&b[start..]).take_while(|(a, b)| a == b).count()
}

const BLOCK: usize = 4096;

/// The shortest parts that differ at the start of both, so that what follows them is the same again.
fn difference(a: &[u8], b: &[u8]) -> Option<(usize, usize)> {
    let agree = |removed: usize, inserted: usize| {
        let (a, b) = (&a[removed..], &b[inserted..]);
        let wanted = ENOUGH.min(a.len().max(b.len()));
        a.len() >= wanted && b.len() >= wanted && a[..wanted] == b[..wanted]
    };
    // What was replaced by as many bytes comes first, as UUIDs and dates are.
    (1..=FARTHEST).find_map(|sum| {
        let half = sum / 2;
        (0..=sum)
            .map(|n| if n % 2 == 0 { half - n / 2 } else { half + n.div_ceil(2) })
            .map(|removed| (removed, sum - removed))
            .find(|(removed, inserted)| {
                *removed <= a.len() && *inserted <= b.len() && agree(*removed, *inserted)
            })
    })
}

/// Makes the other document from the one that is kept whole.
///
/// # Errors
/// When the edits are not in order, or lie outside the document.
pub fn restored(whole: &[u8], edits: &[Edit]) -> Result<Vec<u8>, NotApplied> {
    let added = edits.iter().map(|edit| edit.inserted.len()).sum::<usize>();
    let mut other = Vec::with_capacity(whole.len() + added);
    let mut done = 0;
    for edit in edits {
        let kept = whole.get(done..edit.at).ok_or(NotApplied { at: edit.at })?;
        other.extend_from_slice(kept);
        other.extend_from_slice(edit.inserted.as_bytes());
        done = edit
            .at
            .checked_add(edit.removed)
            .filter(|end| *end <= whole.len())
            .ok_or(NotApplied { at: edit.at })?;
    }
    other.extend_from_slice(&whole[done..]);
    Ok(other)
}

/// An edit that does not fit the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotApplied {
    /// Where it was to be made.
    pub at: usize,
}

impl fmt::Display for NotApplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an edit at byte {} lies before the last one, or outside the document", self.at)
    }
}

impl std::error::Error for NotApplied {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document(uuid: &str, name: &str, planes: usize) -> String {
        let planes: String =
            (0..planes).map(|n| format!("<Plane TheT=\"{n}\" DeltaT=\"{}.5\"/>", n * 3)).collect();
        format!("<OME UUID=\"urn:uuid:{uuid}\"><Image ID=\"Image:0\" Name=\"{name}\">{planes}</Image></OME>")
    }

    #[test]
    fn documents_that_differ_in_a_uuid_and_a_name_differ_in_two_edits() {
        let whole = document("0c7b1b1e-0000-4000-8000-000000000001", "a", 500);
        let other = document("9d1c0c1f-1111-4111-9111-111111111111", "a longer name", 500);
        let found = edits(whole.as_bytes(), other.as_bytes()).unwrap();
        assert!(found.len() <= 8, "{found:?}");
        assert_eq!(restored(whole.as_bytes(), &found).unwrap(), other.as_bytes());
        // Both ways, and to itself.
        let back = edits(other.as_bytes(), whole.as_bytes()).unwrap();
        assert_eq!(restored(other.as_bytes(), &back).unwrap(), whole.as_bytes());
        assert_eq!(edits(whole.as_bytes(), whole.as_bytes()).unwrap(), []);
    }

    #[test]
    fn what_is_no_variant_is_a_document_of_its_own() {
        let whole = document("a", "a", 500);
        assert!(edits(whole.as_bytes(), document("a", "a", 900).as_bytes()).is_none(), "400 planes more");
        assert!(edits(b"<OME/>", b"<OME />").is_none(), "small");
        let other = whole.replace("DeltaT=\"", "DeltaT=\"7");
        assert!(edits(whole.as_bytes(), other.as_bytes()).is_none(), "many differences");
        let mut bytes = whole.clone().into_bytes();
        bytes[40] = 0xff;
        assert!(edits(whole.as_bytes(), &bytes).is_none(), "not text");
    }

    #[test]
    fn edits_that_do_not_fit_are_refused() {
        let edit = |at, removed| Edit { at, removed, inserted: String::new() };
        for bad in [
            vec![edit(5, 1), edit(3, 1)],
            vec![edit(9, 2)],
            vec![edit(11, 0)],
            vec![edit(usize::MAX, usize::MAX)],
        ] {
            assert!(restored(b"0123456789", &bad).is_err(), "{bad:?}");
        }
        assert_eq!(restored(b"0123456789", &[edit(0, 10)]).unwrap(), b"");
    }

    proptest! {
        #[test]
        fn edits_make_the_other_document(changes in prop::collection::vec((0..20_000usize, 0..40usize, "[a-zäö]{0,40}"), 0..12)) {
            let whole = document("u", "n", 600);
            let mut other = whole.clone();
            for (at, removed, inserted) in changes {
                let at = at.min(other.len());
                let end = (at + removed).min(other.len());
                // Only the document's own characters of one byte each are cut.
                if other.is_char_boundary(at) && other.is_char_boundary(end) {
                    other.replace_range(at..end, &inserted);
                }
            }
            if let Some(found) = edits(whole.as_bytes(), other.as_bytes()) {
                prop_assert_eq!(restored(whole.as_bytes(), &found).unwrap(), other.as_bytes());
            }
        }
    }
}
