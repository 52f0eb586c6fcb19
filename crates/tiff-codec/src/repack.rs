//! Stored chunks for readers of other formats: the compressed data stay as they are, in the wrapper that those expect.
//!
//! Deflate data are the same within a zlib stream and a gzip member, which differ in header and checksum (RFC 1950,
//! RFC 1952). A Zstandard frame need not say how much it holds (RFC 8878, 3.1.1.1.4), but some readers rely on it, so it
//! is written into the header.

use std::borrow::Cow;

use zstd::zstd_safe::{find_frame_compressed_size, get_dict_id_from_frame, get_frame_content_size};

use crate::{ChunkLayout, CodecError, Compression, Decoder, Predictor, RowStream};

/// What compressed data are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Nothing: the samples themselves.
    Bare,
    /// A zlib stream.
    Zlib,
    /// One gzip member.
    Gzip,
    /// One Zstandard frame that says how much it holds.
    Zstd,
}

impl Container {
    /// Whether it cannot be filled without the samples: a gzip member ends with their checksum, and only they tell whether
    /// a zlib stream holds as many as it should.
    pub fn needs_samples(self) -> bool {
        matches!(self, Self::Zlib | Self::Gzip)
    }
}

impl ChunkLayout {
    /// Gives a chunk of this layout in another wrapper, without its samples: what is in it is found out by whoever decodes
    /// it. Only a Zstandard frame that has a checksum is decoded, piece by piece, so that the checksum is compared.
    ///
    /// `None` where that shows already: bytes that are no frame, or more than one, or that hold another size; where `to`
    /// [needs the samples](Container::needs_samples) or holds data of another compression; and for layouts of which
    /// [`check_repack`](Self::check_repack) says that they cannot be handed on.
    ///
    /// # Errors
    /// [`CodecError::Damaged`], [`CodecError::Short`] and [`CodecError::Long`] for a frame whose checksum is compared.
    pub fn rewrap<'a>(&self, stored: &'a [u8], to: Container) -> Result<Option<Cow<'a, [u8]>>, CodecError> {
        let (Ok(()), Ok(size)) = (self.check_repack(), self.decoded_len()) else { return Ok(None) };
        Ok(match (self.compression, to) {
            (Compression::None, Container::Bare) => stored.get(..size).map(Cow::Borrowed),
            (Compression::Zstd, Container::Zstd) => {
                let frame = zstd_frame(stored, size);
                if frame.is_some() && has_checksum(stored) {
                    RowStream::new(self.clone(), stored)?.skip_rows(self.height)?;
                }
                frame
            }
            _ => None,
        })
    }

    /// Whether chunks of this layout can be handed on without being compressed again.
    ///
    /// # Errors
    /// In words, why they cannot.
    pub fn check_repack(&self) -> Result<(), String> {
        if !matches!(self.compression, Compression::None | Compression::Deflate | Compression::Zstd) {
            return Err(format!("they are compressed with {}", self.compression.name()));
        }
        match self.predictor {
            Predictor::None => {}
            Predictor::Horizontal => return Err("their samples are differences (predictor 2)".into()),
            Predictor::FloatingPoint => return Err("their samples are differences (predictor 3)".into()),
        }
        if self.samples > 1 {
            return Err(format!("{} samples are interleaved in each pixel", self.samples));
        }
        if usize::from(self.bits) != self.sample_bytes() * 8 {
            return Err(format!("samples have {} bits", self.bits));
        }
        if self.fill_order != 1 {
            return Err(format!("the bits of each byte are reversed (FillOrder {})", self.fill_order));
        }
        Ok(())
    }
}

impl Decoder {
    /// Decompresses one chunk into `out`, which has exactly [`ChunkLayout::decoded_len`] bytes, and gives the chunk in
    /// another wrapper. Samples stay in the byte order of the file.
    ///
    /// `None` for a chunk that decodes but would not be taken by every reader: more data than samples, bytes after the
    /// end, no checksum where there has to be one; and where `to` holds data of another compression.
    ///
    /// # Errors
    /// [`CodecError::UnsupportedLayout`] where [`ChunkLayout::check_repack`] says so, and all of [`Decoder::decode`].
    pub fn repack<'a>(
        &mut self,
        layout: &ChunkLayout,
        stored: &'a [u8],
        to: Container,
        out: &mut [u8],
    ) -> Result<Option<Cow<'a, [u8]>>, CodecError> {
        layout.check_repack().map_err(|what| layout.unsupported(what))?;
        let expected = layout.decoded_len()?;
        // Only a frame that holds just these bytes decodes into a buffer of just that size.
        let whole_frame = layout.compression == Compression::Zstd
            && out.len() == expected
            && self.is_whole_frame(stored, out);
        if !whole_frame {
            self.decode(&ChunkLayout { big_endian: false, ..layout.clone() }, stored, out)?;
        }
        Ok(match (layout.compression, to) {
            (Compression::None, Container::Bare) => stored.get(..out.len()).map(Cow::Borrowed),
            (Compression::Deflate, Container::Zlib) => zlib_body(stored, out).map(|_| Cow::Borrowed(stored)),
            (Compression::Deflate, Container::Gzip) => {
                zlib_body(stored, out).map(|body| gzip(body, out).into())
            }
            (Compression::Zstd, Container::Zstd) if whole_frame => zstd_frame(stored, out.len()),
            _ => None,
        })
    }
}

/// The stored bytes as one frame that says that it holds `size` bytes.
fn zstd_frame(stored: &[u8], size: usize) -> Option<Cow<'_, [u8]>> {
    let alone = find_frame_compressed_size(stored) == Ok(stored.len());
    if !alone || get_dict_id_from_frame(stored).is_some() {
        return None;
    }
    match get_frame_content_size(stored) {
        Ok(Some(told)) => (told == size as u64).then_some(Cow::Borrowed(stored)),
        Ok(None) => sized(stored, size).map(Cow::Owned),
        Err(_) => None,
    }
}

/// Content_Checksum_flag of the header of a frame.
fn has_checksum(frame: &[u8]) -> bool {
    frame.get(4).is_some_and(|descriptor| descriptor & 4 != 0)
}

/// The Deflate data of a zlib stream that holds exactly `samples` and ends with its checksum.
fn zlib_body<'a>(stored: &'a [u8], samples: &[u8]) -> Option<&'a [u8]> {
    let (header, rest) = stored.split_first_chunk::<2>()?;
    let (body, checksum) = rest.split_last_chunk::<4>()?;
    let is_deflate = header[0] & 0x0f == 8 && u16::from_be_bytes(*header).is_multiple_of(31);
    let has_dictionary = header[1] & 0x20 != 0;
    let ends = libdeflater::adler32(samples) == u32::from_be_bytes(*checksum);
    (is_deflate && !has_dictionary && ends).then_some(body)
}

/// A gzip member without name and time.
fn gzip(body: &[u8], samples: &[u8]) -> Vec<u8> {
    let mut member = Vec::with_capacity(GZIP_HEADER.len() + body.len() + 8);
    member.extend_from_slice(&GZIP_HEADER);
    member.extend_from_slice(body);
    member.extend_from_slice(&libdeflater::crc32(samples).to_le_bytes());
    // The length modulo 2^32, as the format has it.
    member.extend_from_slice(&(samples.len() as u32).to_le_bytes());
    member
}

/// A frame that does not tell its content's size, with that size in its header.
fn sized(frame: &[u8], size: usize) -> Option<Vec<u8>> {
    let (magic, rest) = frame.split_first_chunk::<4>()?;
    let (&descriptor, rest) = rest.split_first()?;
    // Without a size a frame has a window, and its two highest bits and the one for a single segment are clear. The lowest
    // two tell that a dictionary's number stands before the size, be it the zero that stands for none.
    if descriptor & 0b1110_0011 != 0 {
        return None;
    }
    let (&window, blocks) = rest.split_first()?;
    let size = u32::try_from(size).ok()?;
    let mut sized = Vec::with_capacity(frame.len() + 4);
    sized.extend_from_slice(magic);
    sized.extend_from_slice(&[descriptor | SIZE_OF_4_BYTES, window]);
    sized.extend_from_slice(&size.to_le_bytes());
    sized.extend_from_slice(blocks);
    Some(sized)
}

/// Magic number, Deflate, no flags, no time, nothing about effort, unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Frame_Content_Size_flag.
const SIZE_OF_4_BYTES: u8 = 2 << 6;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn layout(compression: u16) -> ChunkLayout {
        ChunkLayout { big_endian: true, ..ChunkLayout::plain(40, 30, 16, Compression::from_tag(compression)) }
    }

    fn samples() -> Vec<u8> {
        (0..2400u32).map(|n| (n * n / 300) as u8).collect()
    }

    fn repack(compression: u16, stored: &[u8], to: Container) -> Option<Vec<u8>> {
        let mut out = vec![1; 2400];
        let packed = Decoder::new().repack(&layout(compression), stored, to, &mut out).unwrap();
        assert_eq!(out, samples(), "in the byte order of the file");
        packed.map(Cow::into_owned)
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(bytes).unwrap();
        zlib.finish().unwrap()
    }

    /// As writers of streams make them, without the size.
    fn stream(bytes: &[u8]) -> Vec<u8> {
        let mut frame = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
        frame.write_all(bytes).unwrap();
        frame.finish().unwrap()
    }

    #[test]
    fn bare_samples_lose_what_follows_them() {
        let longer = [samples(), vec![7; 3]].concat();
        assert_eq!(repack(1, &longer, Container::Bare).unwrap(), samples());
    }

    #[test]
    fn deflate_data_move_into_a_gzip_member() {
        for code in [8, 32946] {
            let stored = zlib(&samples());
            assert_eq!(repack(code, &stored, Container::Zlib).unwrap(), stored);
            let member = repack(code, &stored, Container::Gzip).unwrap();
            assert_eq!(member[10..member.len() - 8], stored[2..stored.len() - 4]);
            let mut out = vec![0; 2400];
            let found = libdeflater::Decompressor::new().gzip_decompress(&member, &mut out);
            assert_eq!((found, out), (Ok(2400), samples()));
        }
    }

    #[test]
    fn zstandard_frames_say_how_much_they_hold() {
        let silent = stream(&samples());
        assert!(matches!(get_frame_content_size(&silent), Ok(None)));
        let frame = repack(50000, &silent, Container::Zstd).unwrap();
        assert!(matches!(get_frame_content_size(&frame), Ok(Some(2400))));
        assert_eq!(frame[frame.len() - 50..], silent[silent.len() - 50..]);
        assert_eq!(zstd::bulk::decompress(&frame, 2400).unwrap(), samples());
        let told = zstd::bulk::compress(&samples(), 3).unwrap();
        assert_eq!(repack(50000, &told, Container::Zstd).unwrap(), told);
    }

    #[test]
    fn what_some_readers_would_refuse_is_not_handed_on() {
        let longer = [samples(), vec![7; 3]].concat();
        let after = |stored: Vec<u8>| [stored, vec![0]].concat();
        let cut = |stored: Vec<u8>, bytes: usize| stored[..stored.len() - bytes].to_vec();
        for to in [Container::Zlib, Container::Gzip] {
            for stored in [zlib(&longer), after(zlib(&samples())), cut(zlib(&samples()), 4)] {
                assert_eq!(repack(8, &stored, to), None);
            }
        }
        let halves = [stream(&samples()[..1000]), stream(&samples()[1000..])].concat();
        for stored in [after(stream(&samples())), halves] {
            assert_eq!(repack(50000, &stored, Container::Zstd), None);
        }
        for stored in [stream(&longer), zstd::bulk::compress(&longer, 3).unwrap()] {
            let result = Decoder::new().repack(&layout(50000), &stored, Container::Zstd, &mut [0; 2400]);
            assert!(matches!(result, Err(CodecError::Long { .. })), "{result:?}");
        }
        assert_eq!(repack(50000, &stream(&samples()), Container::Gzip), None);
        // The number of no dictionary, 0, where the size would have to go.
        let mut numbered = stream(&samples());
        numbered[4] |= 1;
        numbered.insert(6, 0);
        assert_eq!(repack(50000, &numbered, Container::Zstd), None);
    }

    #[test]
    fn unseen_chunks_are_moved_as_decoded_ones_are() {
        for (code, stored, to) in [
            (1, [samples(), vec![7; 3]].concat(), Container::Bare),
            (50000, stream(&samples()), Container::Zstd),
            (50000, zstd::bulk::compress(&samples(), 3).unwrap(), Container::Zstd),
        ] {
            let unseen = layout(code).rewrap(&stored, to).unwrap().map(Cow::into_owned);
            assert_eq!(unseen, repack(code, &stored, to), "{code}");
        }
    }

    #[test]
    fn unseen_chunks_that_have_a_checksum_are_compared_with_it() {
        let mut frame = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
        frame.include_checksum(true).unwrap();
        frame.write_all(&samples()).unwrap();
        let stored = frame.finish().unwrap();
        assert!(layout(50000).rewrap(&stored, Container::Zstd).unwrap().is_some());
        let last = stored.len() - 1;
        for at in [stored.len() / 2, last] {
            let mut damaged = stored.clone();
            damaged[at] ^= 1;
            let result = layout(50000).rewrap(&damaged, Container::Zstd);
            assert!(matches!(result, Ok(None) | Err(CodecError::Damaged { .. })), "{at}: {result:?}");
        }
        let mut damaged = stored.clone();
        damaged[last] ^= 1;
        assert!(layout(50000).rewrap(&damaged, Container::Zstd).is_err());
    }

    #[test]
    fn unseen_chunks_that_cannot_be_right_are_not_moved() {
        let refused =
            |code: u16, stored: &[u8], to| assert_eq!(layout(code).rewrap(stored, to), Ok(None), "{code}");
        refused(1, &samples()[1..], Container::Bare);
        refused(8, &zlib(&samples()), Container::Gzip);
        refused(8, &zlib(&samples()), Container::Zlib);
        let frame = zstd::bulk::compress(&samples(), 3).unwrap();
        refused(50000, &frame[..frame.len() - 1], Container::Zstd);
        refused(50000, &[frame.clone(), frame].concat(), Container::Zstd);
        refused(50000, &zstd::bulk::compress(&samples()[1..], 3).unwrap(), Container::Zstd);
        refused(50000, &[], Container::Zstd);
    }

    #[test]
    fn reasons_are_given_in_words() {
        let reason = |change: fn(&mut ChunkLayout)| {
            let mut layout = layout(8);
            change(&mut layout);
            layout.check_repack().unwrap_err()
        };
        assert_eq!(layout(8).check_repack(), Ok(()));
        assert!(reason(|layout| layout.compression = Compression::Jpeg).contains("JPEG"));
        assert!(reason(|layout| layout.predictor = Predictor::Horizontal).contains("predictor 2"));
        assert!(reason(|layout| layout.samples = 3).contains("3 samples"));
        assert!(reason(|layout| layout.bits = 12).contains("12 bits"));
        assert!(reason(|layout| layout.fill_order = 2).contains("FillOrder"));
    }
}
