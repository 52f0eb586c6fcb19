//! Masks: bits of a rectangle, packed and compressed in the document until they are painted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fairzarr_ome_xml::Element;
use flate2::read::ZlibDecoder;
use std::io::{self, Read as _};

/// Bits as the document has them.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) width: u32,
    pub(crate) height: u32,
    stored: Vec<u8>,
    zlib: bool,
    /// Bytes, decompressed.
    length: u64,
}

/// Decompressed bytes of one mask at most.
const MOST_BYTES: u64 = 256 << 20;

/// Bits that can be asked for.
pub(crate) struct Bits {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
    layout: Layout,
}

/// How bits lie in bytes.
#[derive(Clone, Copy)]
enum Layout {
    /// One after the other, the highest of a byte first, rows without padding: what the schema says.
    Packed,
    /// Rows begin with a byte.
    Rows,
    /// A byte for each, of which any but 0 is set.
    Bytes,
}

impl Packed {
    /// The bits of a `Mask` of this size; its data are decoded, and kept compressed.
    pub(crate) fn read(mask: &Element<'_>, width: f64, height: f64) -> Result<Self, String> {
        let side =
            |side: f64| (side.round() >= 1.0 && side <= f64::from(1u32 << 30)).then_some(side.round() as u32);
        let (Some(width), Some(height)) = (side(width), side(height)) else {
            return Err(format!("its mask has {width} x {height} bits"));
        };
        let data = mask.child("BinData").ok_or("it has no BinData")?;
        let zlib = match data.attr("Compression") {
            None | Some("none") => false,
            Some("zlib") => true,
            Some(other) => {
                let other: String = other.chars().take(20).collect();
                return Err(format!("its mask is compressed by {other}, which is not read here"));
            }
        };
        let text: Vec<u8> = data.text().bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let stored = STANDARD.decode(text).map_err(|error| format!("its mask is no base64: {error}"))?;
        let length = if zlib {
            let mut counted = ZlibDecoder::new(&*stored).take(MOST_BYTES + 1);
            io::copy(&mut counted, &mut io::sink())
                .map_err(|error| format!("its mask cannot be decompressed: {error}"))?
        } else {
            stored.len() as u64
        };
        if length > MOST_BYTES {
            return Err(format!("its mask has more than {MOST_BYTES} bytes"));
        }
        let packed = Self { width, height, stored, zlib, length };
        packed.layout(length)?;
        Ok(packed)
    }

    /// Bytes that it takes, decompressed.
    pub(crate) fn bytes(&self) -> u64 {
        self.length
    }

    /// The bits, decompressed.
    pub(crate) fn unpack(&self) -> Result<Bits, String> {
        let bytes = if self.zlib {
            let mut bytes = Vec::new();
            let read = ZlibDecoder::new(&*self.stored).take(self.length).read_to_end(&mut bytes);
            read.map_err(|error| format!("its mask cannot be decompressed: {error}"))?;
            bytes
        } else {
            self.stored.clone()
        };
        let layout = self.layout(bytes.len() as u64)?;
        Ok(Bits { width: self.width, height: self.height, bytes, layout })
    }

    fn layout(&self, bytes: u64) -> Result<Layout, String> {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        let expected = (width * height).div_ceil(8);
        match bytes {
            _ if bytes == expected => Ok(Layout::Packed),
            _ if bytes == height * width.div_ceil(8) => Ok(Layout::Rows),
            _ if bytes == width * height => Ok(Layout::Bytes),
            _ => Err(format!("its mask of {width} x {height} bits has {bytes} bytes, expected {expected}")),
        }
    }
}

impl Bits {
    /// Whether the bit of a column and row is set; those outside are not.
    pub(crate) fn is_set(&self, x: f64, y: f64) -> bool {
        if !(x >= 0.0 && y >= 0.0 && x < f64::from(self.width) && y < f64::from(self.height)) {
            return false;
        }
        let (x, y, width) = (x as usize, y as usize, self.width as usize);
        let bit = |at: usize| self.bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
        match self.layout {
            Layout::Packed => bit(y * width + x),
            Layout::Rows => bit(y * width.div_ceil(8) * 8 + x),
            Layout::Bytes => self.bytes.get(y * width + x).is_some_and(|byte| *byte != 0),
        }
    }
}
