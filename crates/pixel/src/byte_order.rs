//! From one byte order to the other.

/// Turns numbers of `bytes` bytes around: big-endian ones become little-endian ones, and the other way.
///
/// Of complex samples each of the two numbers is turned, see
/// [`SampleType::number_bytes`](crate::SampleType::number_bytes). Bytes after the last whole number stay as they are.
pub fn swap_bytes(samples: &mut [u8], bytes: usize) {
    match bytes {
        1 => {}
        2 => swap_fixed::<2>(samples),
        4 => swap_fixed::<4>(samples),
        _ => swap_fixed::<8>(samples),
    }
}

fn swap_fixed<const N: usize>(samples: &mut [u8]) {
    for sample in samples.as_chunks_mut::<N>().0 {
        sample.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_are_turned_around() {
        for (bytes, expected) in [
            (1, [1, 2, 3, 4, 5, 6, 7, 8]),
            (2, [2, 1, 4, 3, 6, 5, 8, 7]),
            (4, [4, 3, 2, 1, 8, 7, 6, 5]),
            (8, [8, 7, 6, 5, 4, 3, 2, 1]),
        ] {
            let mut samples = [1, 2, 3, 4, 5, 6, 7, 8];
            swap_bytes(&mut samples, bytes);
            assert_eq!(samples, expected, "{bytes}");
        }
    }
}
