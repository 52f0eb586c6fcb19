//! PackBits (TIFF 6.0, section 9): runs and literals of bytes.

use crate::step::Step;

/// The place within packed bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum PackBits {
    /// Before the header of a run.
    #[default]
    Between,
    /// So many bytes follow as they are.
    Literal(usize),
    /// A byte follows that is to be repeated so many times.
    Value(usize),
    /// The byte is to be repeated so many times more.
    Repeat(usize, u8),
}

impl PackBits {
    /// Unpacks until `out` is full or the input ends.
    pub(crate) fn step(&mut self, packed: &[u8], out: &mut [u8]) -> Step {
        let mut rest = packed;
        let mut done = 0;
        loop {
            let room = &mut out[done..];
            match *self {
                Self::Between => {
                    // A header is looked at even when there is no room: it may be one that means nothing.
                    let Some((header, after)) = rest.split_first() else { break };
                    *self = match *header as i8 {
                        -128 => Self::Between,
                        count @ 0.. => Self::Literal(count as usize + 1),
                        count => Self::Value(1 + usize::from(count.unsigned_abs())),
                    };
                    rest = after;
                }
                Self::Literal(left) => {
                    let count = left.min(room.len()).min(rest.len());
                    room[..count].copy_from_slice(&rest[..count]);
                    done += count;
                    rest = &rest[count..];
                    *self = if count == left { Self::Between } else { Self::Literal(left - count) };
                    if count < left {
                        break;
                    }
                }
                Self::Value(count) => {
                    let Some((value, after)) = rest.split_first() else { break };
                    rest = after;
                    *self = Self::Repeat(count, *value);
                }
                Self::Repeat(left, value) => {
                    let count = left.min(room.len());
                    room[..count].fill(value);
                    done += count;
                    *self = if count == left { Self::Between } else { Self::Repeat(left - count, value) };
                    if count < left {
                        break;
                    }
                }
            }
        }
        Step { read: packed.len() - rest.len(), written: done, ended: false }
    }

    /// Whether the packed bytes may end here: after a run, or after a single byte of padding, be it zero, which reads as the
    /// header of one byte that is not there.
    pub(crate) fn may_stop(self) -> Result<(), &'static str> {
        match self {
            Self::Between | Self::Literal(1) => Ok(()),
            Self::Literal(_) | Self::Value(_) | Self::Repeat(..) => Err("the last run is cut off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_same_bytes() {
        // Three literals, five times 9, a header that means nothing, one literal.
        let packed = [2, 1, 2, 3, 252, 9, 128, 0, 7];
        let expected = [1, 2, 3, 9, 9, 9, 9, 9, 7];
        for (input, output) in [(1, 1), (1, 9), (2, 4), (9, 1), (9, 9)] {
            let mut codec = PackBits::default();
            let (mut rest, mut out) = (packed.as_slice(), Vec::new());
            while out.len() < expected.len() {
                let mut room = vec![0; output.min(expected.len() - out.len())];
                let step = codec.step(&rest[..input.min(rest.len())], &mut room);
                rest = &rest[step.read..];
                out.extend_from_slice(&room[..step.written]);
            }
            assert_eq!(out, expected, "{input} in, {output} out");
            assert!(rest.is_empty() && codec.may_stop().is_ok());
        }
    }
}
